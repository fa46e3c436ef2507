// A cron expression in words, where words are shorter than the expression; anything else stays as it is written.

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const SHORT_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const MACROS: Record<string, string> = { "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *" };

/** "at 03:00", "every 15 minutes", "at 08:30, Monday to Friday"; null for what these words cannot say. */
export function cronWords(expression: string): string | null {
  const fields = (MACROS[expression.trim()] ?? expression).trim().split(/\s+/);
  if (fields.length !== 5) return null;
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = fields;
  const time = timeWords(minute, hour);
  const days = dayWords(day, month, weekday);
  return time === null || days === null ? null : [time, days].filter(Boolean).join(", ");
}

function timeWords(minute: string, hour: string): string | null {
  const everyMinute = /^\*\/(\d+)$/.exec(minute);
  if (minute === "*" && hour === "*") return "every minute";
  if (everyMinute && hour === "*") return `every ${everyMinute[1]} minutes`;
  const hours = hour.split(",");
  if (/^\d+$/.test(minute) && hours.every((one) => /^\d+$/.test(one))) return `at ${list(hours.map((one) => `${one.padStart(2, "0")}:${minute.padStart(2, "0")}`))}`;
  const past = /^\d+$/.test(minute) ? (Number(minute) === 0 ? "" : ` at minute ${Number(minute)}`) : null;
  if (past === null) return null;
  if (hour === "*") return `every hour${past}`;
  const everyHour = /^\*\/(\d+)$/.exec(hour);
  if (everyHour) return `every ${everyHour[1]} hours${past}`;
  const between = /^(\d+)-(\d+)$/.exec(hour);
  return between ? `every hour from ${between[1]} to ${between[2]}${past}` : null;
}

function dayWords(day: string, month: string, weekday: string): string | null {
  const months = month === "*" ? "" : listOf(month, (text) => MONTHS[Number(text) - 1] ?? null);
  if (months === null) return null;
  const inMonths = months && ` in ${months}`;
  if (day === "*" && weekday === "*") return inMonths.trim();
  if (weekday === "*") {
    const days = listOf(day, (text) => (/^\d+$/.test(text) ? ordinal(Number(text)) : text === "L" ? "last" : null));
    return days && `on the ${days}${months ? ` of ${months}` : " of the month"}`;
  }
  const days = listOf(weekday, weekdayName);
  return day === "*" && days ? `${days}${inMonths}` : null;
}

function weekdayName(text: string): string | null {
  const index = SHORT_DAYS.indexOf(text.toUpperCase());
  return DAYS[index >= 0 ? index : /^[0-7]$/.test(text) ? Number(text) : -1] ?? null;
}

function listOf(field: string, name: (text: string) => string | null): string | null {
  const words = field.split(",").map((part) => {
    const [first = "", last, ...rest] = part.split("-");
    if (rest.length > 0) return null;
    const from = name(first);
    const to = last === undefined ? "" : name(last);
    return from === null || to === null ? null : to ? `${from} to ${to}` : from;
  });
  return words.some((word) => word === null) ? null : list(words as string[]);
}

function list(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}

function ordinal(day: number): string {
  const tail = day % 100 > 10 && day % 100 < 14 ? "th" : ({ 1: "st", 2: "nd", 3: "rd" }[day % 10] ?? "th");
  return `${day}${tail}`;
}
