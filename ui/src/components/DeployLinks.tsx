// Where to read on about a deploy: its first trace, and the build that made it.
import { IconExternalLink } from "@tabler/icons-react";
import { safeUrl } from "@/lib/text";
import { tracePath } from "@/lib/traces/search";
import { Go } from "./Go";

/** What is empty, or no address to be trusted, is left out. */
export function DeployLinks({ trace, build }: { trace: string; build: string }) {
  const link = safeUrl(build);
  return (
    <>
      {trace && (
        <Go to={tracePath(trace)} className="link bare">
          First trace
        </Go>
      )}
      {link && (
        <a href={link} target="_blank" rel="noreferrer" className="link bare">
          Build <IconExternalLink size={12} aria-hidden />
        </a>
      )}
    </>
  );
}
