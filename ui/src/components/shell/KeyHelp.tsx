// All keys on one sheet.
import { Kbd, Modal } from "@mantine/core";
import { Fragment } from "react";
import { MOD } from "./TopBar";
import classes from "./KeyHelp.module.css";

const GROUPS: [string, [string[], string][]][] = [
  ["Go to", [[["g", "o"], "Overview"], [["g", "m"], "Map"], [["g", "c"], "Checks"], [["g", "r"], "Runs"], [["g", "q"], "Queues"], [["g", "d"], "Schedules"], [["g", "x"], "Metrics"], [["g", "l"], "Logs"], [["g", "a"], "Traces"], [["g", "b"], "Dashboards"], [["g", "h"], "Host"], [["g", "e"], "Events"], [["g", "s"], "Settings"]]],
  ["Lists", [[["j"], "Next row"], [["k"], "Previous row"], [["Enter"], "Open the row"], [["/"], "Filter"], [["Esc"], "Leave the filter"]]],
  ["Anywhere", [[[MOD, "K"], "Search and commands"], [["t"], "Time range"], [["["], "Narrow or widen the navigation"], [["?"], "This sheet"]]],
  ["On a check", [[["r"], "Run it now"], [["p"], "Pause or resume"]]],
  ["On runs", [[["n"], "Start a run"], [["a"], "Approve or answer"], [["+"], "Zoom into the timeline"], [["-"], "Zoom out"], [["0"], "Show all of it"], [["l"], "Follow the log"]]],
  ["On charts", [[["drag"], "Zoom every chart to a window"], [["double click"], "Zoom out"], [["←", "→"], "Read the samples"], [["↑", "↓"], "Read the exemplars"], [["Enter"], "What moved then, or the trace"]]],
  ["On metrics", [[["e"], "Write the query"], [["b"], "Browse metrics"], [[MOD, "Enter"], "Run"], [["Esc"], "Leave the query"]]],
  ["On logs", [[["e"], "Write the query"], [["f"], "Fields"], [["w"], "Wrap lines"], [["l"], "Follow newer lines"], [["Space"], "Pause or resume following"], [["Enter"], "Open the line"]]],
  ["On a trace", [[["↑", "↓"], "Walk through the spans"], [["←", "→"], "Collapse, expand"], [["Enter"], "Open the span"], [["n"], "Next one found"], [["N"], "The one before"], [["f"], "Flame or waterfall"]]],
  ["On a dashboard", [[["e"], "Change it"], [[MOD, "Z"], "Undo a change"], [[MOD, "Shift", "Z"], "Redo it"]]],
  ["On events", [[["Space"], "Pause or follow the timeline"]]],
];

export function KeyHelp({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="Keyboard shortcuts" size={620} closeButtonProps={{ "aria-label": "Close" }}>
      <div className={classes.groups}>
        {GROUPS.map(([title, keys]) => (
          <section key={title}>
            <h2>{title}</h2>
            <dl>
              {keys.map(([combination, text]) => (
                <div key={text} className={classes.line}>
                  <dt>{text}</dt>
                  <dd>
                    {combination.map((key) => (
                      <Fragment key={key}>
                        <Kbd size="xs">{key}</Kbd>{" "}
                      </Fragment>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Modal>
  );
}
