// The units that a person may choose for a chart.
export const UNITS = [
  { value: "", label: "Unit by name" },
  { value: "number", label: "Number" },
  { value: "seconds", label: "Seconds" },
  { value: "bytes", label: "Bytes" },
  { value: "bytes_per_second", label: "Bytes per second" },
  { value: "per_second", label: "Per second" },
  { value: "percent", label: "Percent, of 100" },
  { value: "ratio", label: "Percent, of 1" },
  { value: "count", label: "Whole number" },
];
