// A dashboard that is not saved yet.
import { useNavigate } from "react-router";
import { useCarry } from "@/state/timerange";
import { BLANK, Builder } from "./Builder";

export function NewDashboard() {
  const navigate = useNavigate();
  const carry = useCarry();
  return <Builder id={null} started={BLANK} onDone={() => void navigate(carry("/dashboards"))} />;
}
