// An address that leads nowhere.
import { Go } from "@/components/Go";
import { Page } from "@/components/Page";
import { Empty } from "@/components/states";

export function NotFound() {
  return (
    <Page title="Not found" name="Not found">
      <Empty title="There is no page at this address">
        It may have moved, or the link is cut short.{" "}
        <Go to="/" className="link">
          Go to the overview
        </Go>
      </Empty>
    </Page>
  );
}
