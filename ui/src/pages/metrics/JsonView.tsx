// The answers as they came, for those who want to see or copy them.
import { CopyButton } from "@/components/CopyButton";
import { Section } from "@/components/Page";
import { SkeletonBlock } from "@/components/states";
import { type Exploration, letterOf } from "@/lib/explore";
import { formatBytes } from "@/lib/format";
import type { QueryState } from "./QueryRow";
import { askedOf } from "./results";
import classes from "./Explore.module.css";

const SHOWN = 100_000;

export function JsonView({ exploration, states }: { exploration: Exploration; states: ReadonlyMap<number, QueryState> }) {
  return (
    <>
      {askedOf(exploration).map(({ place, expr }) => {
        const answer = states.get(place)?.answer;
        if (!answer) return states.get(place)?.error ? null : <SkeletonBlock key={place} height={200} />;
        const { data, warnings, infos } = answer;
        const text = JSON.stringify({ status: "success", data, ...(warnings.length > 0 ? { warnings } : {}), ...(infos.length > 0 ? { infos } : {}) }, null, 2);
        return (
          <Section key={place} title={<span className="truncate">{`${letterOf(place)}: ${expr}`}</span>} aside={<CopyButton text={text} label="Copy the answer" />}>
            <pre className={classes.json} tabIndex={0}>{text.length > SHOWN ? `${text.slice(0, SHOWN)}\n… ${formatBytes(text.length - SHOWN)} more; copy gives all of it` : text}</pre>
          </Section>
        );
      })}
    </>
  );
}
