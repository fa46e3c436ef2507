// A link inside the console that keeps the time range a person is looking at.
import type { ComponentProps } from "react";
import { Link } from "react-router";
import { useCarry } from "@/state/timerange";

export function Go({ to, ...rest }: Omit<ComponentProps<typeof Link>, "to"> & { to: string }) {
  return <Link to={useCarry()(to)} {...rest} />;
}

export const checkPath = (name: string): string => `/checks/${encodeURIComponent(name)}`;
export const servicePath = (name: string): string => `/services/${encodeURIComponent(name)}`;
export const runPath = (id: string): string => `/runs/${encodeURIComponent(id)}`;
