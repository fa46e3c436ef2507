// Writes plain data as YAML to be read and pasted. One way only; the server reads YAML, the console never does.

export function toYaml(value: unknown): string {
  return block(value, "").join("\n");
}

function block(value: unknown, indent: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => listItem(item, indent));
  if (isMap(value)) return Object.entries(value).flatMap(([key, item]) => entry(`${indent}${scalar(key)}:`, item, indent));
  return [indent + scalar(value)];
}

function entry(head: string, value: unknown, indent: string): string[] {
  if (Array.isArray(value)) return value.length === 0 ? [`${head} []`] : [head, ...block(value, `${indent}  `)];
  if (isMap(value)) return Object.keys(value).length === 0 ? [`${head} {}`] : [head, ...block(value, `${indent}  `)];
  if (typeof value === "string" && value.includes("\n")) return [`${head} |`, ...value.split("\n").map((line) => `${indent}  ${line}`)];
  return [`${head} ${scalar(value)}`];
}

function listItem(item: unknown, indent: string): string[] {
  const [first = "", ...rest] = block(item, `${indent}  `);
  return [`${indent}- ${first.slice(indent.length + 2)}`, ...rest];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Quotes whatever YAML could take for something else than this text. */
function scalar(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value !== "string") return String(value);
  const isPlain = /^[A-Za-z/][\w ./@+-]*(:\/\/[\w./?=&%@:+-]+)?$|^\d+(\.\d+)?[a-zA-Z%]+$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value) && !value.endsWith(" ");
  return isPlain ? value : JSON.stringify(value);
}
