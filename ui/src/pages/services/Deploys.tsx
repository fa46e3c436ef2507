// Which version runs, and what was deployed last: the first thing to ask when a service turns.
import { useQuery } from "@tanstack/react-query";
import { deploysQuery } from "@/api/queries";
import type { Deploy } from "@/api/types";
import { DeployLinks } from "@/components/DeployLinks";
import { Go } from "@/components/Go";
import { Section } from "@/components/Page";
import { QueryView, SkeletonRows } from "@/components/states";
import { When } from "@/components/When";
import { aroundPath } from "@/lib/around";
import { deployKey, deployNote, deployState } from "@/lib/deploys";
import { useMay } from "@/state/session";
import classes from "./Deploys.module.css";

const SHOWN = 6;

export function Deploys({ service }: { service: string }) {
  const mayRead = useMay("deploys.read");
  const query = useQuery({ ...deploysQuery(service, SHOWN), enabled: mayRead });
  if (!mayRead) return null;
  return (
    <Section title="Versions">
      <QueryView query={query} skeleton={<SkeletonRows rows={2} height={46} />}>
        {({ items }) =>
          items.length > 0 ? (
            <ol className={classes.list} aria-label="Versions and when they were deployed">
              {items.map((deploy) => (
                <DeployLine key={deployKey(deploy)} deploy={deploy} />
              ))}
            </ol>
          ) : (
            <p className="faint">
              Nobody tells a version yet: send <code>service.version</code>, or run <code>holdfast deploy record</code>.
            </p>
          )
        }
      </QueryView>
    </Section>
  );
}

function DeployLine({ deploy }: { deploy: Deploy }) {
  return (
    <li className={classes.line} data-state={deploy.state}>
      <div className={classes.head}>
        <span className={classes.version}>{deploy.version}</span>
        <span className="faint">{deployState(deploy)}</span>
        <span className={classes.when}>
          <When at={deploy.began_at} />
        </span>
      </div>
      <div className={classes.note}>
        <span>{deployNote(deploy)}</span>
        {deploy.ending && deploy.ended_at && (
          <span>
            ended <When at={deploy.ended_at} />
          </span>
        )}
        {!deploy.is_baseline && (
          <Go to={aroundPath({ service: deploy.service, at: deploy.began_at })} className="link bare">
            What moved
          </Go>
        )}
        <DeployLinks trace={deploy.trace_id} build={deploy.url} />
      </div>
    </li>
  );
}
