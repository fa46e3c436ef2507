// Reads as much of a JSON schema as a plain form can show: an object of texts, numbers, switches and choices. Whatever is
// deeper is written as JSON; the server checks all of it in the end.

export type FieldKind = "text" | "long" | "integer" | "number" | "switch" | "choice" | "json";

export interface Field {
  name: string;
  label: string;
  hint: string;
  kind: FieldKind;
  isRequired: boolean;
  isNullable: boolean;
  choices: unknown[];
  initial: unknown;
}

type Schema = Record<string, unknown>;

/** The fields of an object schema; null where a form cannot help and JSON must be written. */
export function fieldsOf(schema: Schema | null | undefined): Field[] | null {
  const root = resolve(schema ?? {}, schema ?? {});
  const properties = root["properties"];
  if (!isSchema(properties) || Object.keys(properties).length === 0) return null;
  const required = Array.isArray(root["required"]) ? root["required"] : [];
  return Object.entries(properties).map(([name, raw]) => fieldOf(name, isSchema(raw) ? raw : {}, schema ?? {}, required.includes(name)));
}

function fieldOf(name: string, raw: Schema, root: Schema, isRequired: boolean): Field {
  const outer = resolve(raw, root);
  const options = alternatives(outer).map((one) => resolve(one, root));
  const real = options.filter((one) => one["type"] !== "null");
  const inner = real.length === 1 ? (real[0] as Schema) : outer;
  const choices = Array.isArray(inner["enum"]) ? inner["enum"] : "const" in inner ? [inner["const"]] : [];
  return {
    name,
    label: said(raw["title"], name) ?? said(outer["title"], name) ?? label(name),
    hint: words(raw["description"]) ?? words(outer["description"]) ?? words(inner["description"]) ?? "",
    kind: real.length > 1 ? "json" : kindOf(inner, choices),
    isRequired,
    isNullable: options.length > real.length,
    choices,
    initial: raw["default"] ?? outer["default"],
  };
}

function kindOf(schema: Schema, choices: readonly unknown[]): FieldKind {
  if (choices.length > 0) return "choice";
  if (schema["type"] === "string") return typeof schema["maxLength"] === "number" && schema["maxLength"] > 500 ? "long" : "text";
  if (schema["type"] === "integer" || schema["type"] === "number") return schema["type"];
  return schema["type"] === "boolean" ? "switch" : "json";
}

function alternatives(schema: Schema): Schema[] {
  const list = schema["anyOf"] ?? schema["oneOf"];
  return Array.isArray(list) ? list.filter(isSchema) : [schema];
}

/** Follows `#/$defs/Name`; a reference to anywhere else stays what it is. */
function resolve(schema: Schema, root: Schema): Schema {
  const reference = schema["$ref"];
  if (typeof reference !== "string" || !reference.startsWith("#/")) return schema;
  const found = reference.slice(2).split("/").reduce<unknown>((at, part) => (isSchema(at) ? at[part] : undefined), root);
  return isSchema(found) && found !== schema ? { ...found, ...without(schema, "$ref") } : schema;
}

function without(schema: Schema, name: string): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== name));
}

/** What stands in the form at first: defaults, and nothing for the rest. */
export function initialTexts(fields: readonly Field[]): Record<string, string | boolean> {
  return Object.fromEntries(fields.map(({ name, kind, initial }) => [name, kind === "switch" ? initial === true : textOf(initial, kind)]));
}

function textOf(value: unknown, kind: FieldKind): string {
  if (value === undefined || value === null) return "";
  return kind === "json" || typeof value === "object" ? JSON.stringify(value) : String(value);
}

export interface Reading {
  value: Record<string, unknown>;
  /** By field: why it cannot be sent. */
  faults: Record<string, string>;
}

/** Makes the object of what was typed; an empty field that need not be given is left out. */
export function readFields(fields: readonly Field[], texts: Record<string, string | boolean>): Reading {
  const reading: Reading = { value: {}, faults: {} };
  for (const field of fields) {
    const raw = texts[field.name] ?? "";
    if (typeof raw === "boolean") reading.value[field.name] = raw;
    else if (raw.trim() !== "") readOne(field, raw, reading);
    else if (field.isRequired && field.isNullable) reading.value[field.name] = null;
    else if (field.isRequired) reading.faults[field.name] = "This is needed";
  }
  return reading;
}

function readOne({ name, kind, choices }: Field, raw: string, { value, faults }: Reading): void {
  if (kind === "integer" || kind === "number") {
    const number = Number(raw);
    if (!Number.isFinite(number) || (kind === "integer" && !Number.isInteger(number))) faults[name] = kind === "integer" ? "A whole number is needed" : "A number is needed";
    else value[name] = number;
  } else if (kind === "choice") {
    value[name] = choices.find((choice) => String(choice) === raw) ?? raw;
  } else if (kind === "json") {
    const parsed = parseJson(raw);
    if (parsed.fault === null) value[name] = parsed.value;
    else faults[name] = parsed.fault;
  } else {
    value[name] = raw;
  }
}

/** JSON with its mistake in words; an empty text is null. */
export function parseJson(text: string): { value: unknown; fault: string | null } {
  if (text.trim() === "") return { value: null, fault: null };
  try {
    return { value: JSON.parse(text) as unknown, fault: null };
  } catch (error) {
    return { value: null, fault: `This is not JSON: ${(error as Error).message.replace(/^JSON\.parse: |^Unexpected/, (start) => (start === "Unexpected" ? "unexpected" : ""))}` };
  }
}

function label(name: string): string {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A title that somebody has written; one made of the name by a machine ("Is Granted") says no more than the name. */
function said(title: unknown, name: string): string | null {
  const text = words(title);
  return text && text.toLowerCase() !== name.replaceAll("_", " ").toLowerCase() ? text : null;
}

function words(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
