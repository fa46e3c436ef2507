// What stands where the code of a page did not come: the server is away, or another version of it stands there by now.
import { type ComponentType, useState } from "react";
import { Page } from "./Page";
import { Failed } from "./states";

function PageFailed() {
  const [isTrying, setTrying] = useState(false);
  const retry = async (): Promise<void> => {
    setTrying(true);
    // Loading anew from a server that is away would take the whole console from the window.
    const isThere = await fetch("/livez").then((answer) => answer.ok, () => false);
    if (isThere) location.reload();
    else setTrying(false);
  };
  return (
    <Page title="This page is not there yet" name="Not loaded">
      <Failed error={new Error(WHY)} onRetry={() => void retry()} isRetrying={isTrying} />
    </Page>
  );
}

const WHY = "Its code did not come. Either the server does not answer, or it has another version since this window was opened; trying again loads the console anew as soon as it answers.";

/** As browsers, and Vite for stylesheets, say that a chunk could not be fetched. */
const UNLOADED = /dynamically imported module|module script failed|preload CSS/i;

/** The page to show for one whose loading failed so; whatever else is wrong is thrown on. */
export function insteadOf(error: unknown): ComponentType {
  if (error instanceof Error && UNLOADED.test(error.message)) return PageFailed;
  throw error;
}
