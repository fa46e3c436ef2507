// Names and values as people read them; for small objects whose fields nobody knows beforehand.
import { Fragment } from "react";
import { NOTHING } from "@/lib/format";
import classes from "./Facts.module.css";

export function Facts({ facts }: { facts: Record<string, unknown> }) {
  return (
    <dl className={classes.facts}>
      {Object.entries(facts).map(([name, value]) => (
        <Fragment key={name}>
          <dt>{label(name)}</dt>
          <dd>{factText(value)}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

const ACRONYMS = new Set(["http", "tls", "dns", "ip", "url", "id", "ttl", "rtt", "ssh", "cn", "san"]);

/** Field names become words; names with dots or slashes (annotations, labels) stay as they are. */
function label(name: string): string {
  if (/[./]/.test(name)) return name;
  const words = name.split("_").map((word) => (ACRONYMS.has(word) ? word.toUpperCase() : word)).join(" ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function factText(value: unknown): string {
  if (value === null || value === undefined || value === "") return NOTHING;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(factText).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
