// The words of LogQL with what each does, for colours and completion.
export interface Word {
  name: string;
  info: string;
  /** What is written, where that is more than the name. */
  text?: string;
}

export const STAGES: readonly Word[] = [
  { name: "json", info: "reads the fields of JSON lines" },
  { name: "logfmt", info: "reads key=value pairs" },
  { name: "pattern", info: "reads fields by a pattern", text: 'pattern "<ip> - - <_>"' },
  { name: "regexp", info: "reads fields by named groups", text: 'regexp "(?P<name>\\\\w+)"' },
  { name: "unpack", info: "opens lines that Promtail packed" },
  { name: "line_format", info: "rewrites the line", text: 'line_format "{{.msg}}"' },
  { name: "label_format", info: "renames or makes labels", text: "label_format new=old" },
  { name: "decolorize", info: "removes the colours of terminals" },
  { name: "drop", info: "removes labels" },
  { name: "keep", info: "keeps only these labels" },
  { name: "unwrap", info: "takes a label as the number" },
  { name: "detected_level", info: "filters by level", text: 'detected_level="error"' },
];

export const FUNCTIONS: readonly Word[] = [
  { name: "count_over_time", info: "lines in a window" },
  { name: "rate", info: "lines per second" },
  { name: "bytes_rate", info: "bytes per second" },
  { name: "bytes_over_time", info: "bytes in a window" },
  { name: "absent_over_time", info: "1 where no line came" },
  { name: "rate_counter", info: "rate of an unwrapped counter" },
  { name: "sum_over_time", info: "sum of unwrapped values" },
  { name: "avg_over_time", info: "mean of unwrapped values" },
  { name: "min_over_time", info: "least unwrapped value" },
  { name: "max_over_time", info: "greatest unwrapped value" },
  { name: "first_over_time", info: "first unwrapped value" },
  { name: "last_over_time", info: "last unwrapped value" },
  { name: "stdvar_over_time", info: "variance of unwrapped values" },
  { name: "stddev_over_time", info: "deviation of unwrapped values" },
  { name: "quantile_over_time", info: "quantile of unwrapped values" },
  { name: "sum", info: "adds series" },
  { name: "avg", info: "mean of series" },
  { name: "min", info: "least of series" },
  { name: "max", info: "greatest of series" },
  { name: "count", info: "how many series" },
  { name: "stddev", info: "deviation of series" },
  { name: "stdvar", info: "variance of series" },
  { name: "topk", info: "the k greatest" },
  { name: "bottomk", info: "the k least" },
  { name: "sort", info: "in order of value" },
  { name: "sort_desc", info: "greatest first" },
  { name: "label_replace", info: "writes a label by a regex" },
  { name: "vector", info: "a number as a series" },
  { name: "duration", info: "unwraps 1m30s as seconds" },
  { name: "bytes", info: "unwraps 5MiB as bytes" },
  { name: "ip", info: "matches an address or network" },
];

export const KEYWORDS: readonly string[] = ["by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "and", "or", "unless"];
