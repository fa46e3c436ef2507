// The pretended machine: a snapshot and series that breathe.
import type { HostMetric, HostSeries, HostSnapshot } from "@/api/types";
import { noise } from "./world.ts";

const GIB = 1024 ** 3;

/** A curve in 0..1: the day, slower waves and noise. */
function wave(label: string, atS: number): number {
  const day = 0.5 + 0.5 * Math.sin((atS / 86_400) * 2 * Math.PI - 1.3);
  const slow = 0.5 + 0.5 * Math.sin(atS / (600 + 300 * noise(label, 3)));
  return Math.min(1, 0.35 * day + 0.25 * slow + 0.3 * noise(label, Math.floor(atS / 15)));
}

export function hostSnapshot(): HostSnapshot {
  const now = Date.now() / 1000;
  const cpu = (label: string) => Math.round(wave(label, now) * 780) / 10;
  const perCpu = Array.from({ length: 8 }, (_, index) => cpu(`cpu${index}`));
  return {
    at: new Date().toISOString(),
    hostname: "shop-1",
    os: "Debian GNU/Linux 12 (bookworm)",
    kernel: "6.1.0-26-amd64",
    boot_at: new Date((now - 23.4 * 86_400) * 1000).toISOString(),
    cpu: { count: 8, cores: 8, modes: {}, throttled_percent: null, percent: perCpu.reduce((a, b) => a + b, 0) / 8, per_cpu: perCpu, load: [2.31, 1.98, 1.74] },
    memory: { percent: 57.4, total: 31.2 * GIB, used: (17 + 2 * wave("mem", now)) * GIB, available: 12.6 * GIB, swap_total: 4 * GIB, swap_used: 0.3 * GIB },
    disks: ([
      ["/dev/nvme0n1p2", "/", "ext4", 98, 41, 11.8],
      ["/dev/nvme0n1p3", "/var/lib/postgresql", "xfs", 440, 396, 2.1],
      ["/dev/sdb1", "/backup", "ext4", 1_800, 1_031, 0.4],
    ] as const).map(([device, mount, fstype, total, used, inodes]) => ({
      device, mount, fstype, total: total * GIB, used: used * GIB, free: (total - used) * GIB, percent: (100 * used) / total,
      inodes_percent: inodes, read_only: false, hung: false,
    })),
    network: [
      { interface: "eth0", rx_bytes_s: 3_100_000 * (0.4 + wave("rx", now)), tx_bytes_s: 7_900_000 * (0.4 + wave("tx", now)), errors: 0, drops: 4 },
      { interface: "wg0", rx_bytes_s: 21_000, tx_bytes_s: 18_400, errors: 2, drops: 0 },
    ],
    disk_io: [],
    process_count: 214,
    temperatures: [],
    container: { cpu_cores: null, memory_bytes: null },
    fds: { used: 11_328, max: 1_048_576 },
    processes: ([
      ["postgres", "postgres", 31.2, 4.1, "postgres: shop orders 127.0.0.1(51422) SELECT"],
      ["python3", "shop", 22.8, 0.41, "python3 -m shop run orders --port 8002"],
      ["java", "search", 18.4, 8.2, "/usr/share/elasticsearch/jdk/bin/java -Xms8g -Xmx8g org.elasticsearch.server"],
      ["holdfast", "holdfast", 6.2, 0.39, "holdfast up --data /var/lib/holdfast"],
      ["redis-server", "redis", 2.1, 0.22, "redis-server 127.0.0.1:6379"],
      ["nats-server", "nats", 1.4, 0.08, "nats-server -c /etc/nats.conf"],
      ["node", "root", 0.9, 0.12, "node /usr/lib/node_modules/exporter/index.js"],
      ["sshd", "root", 0.1, 0.01, "sshd: ada [priv]"],
    ] as const).map(([name, user, cpuPercent, rssGib, command], index) => ({
      pid: 812 + index * 1_377, name, user, cpu_percent: cpuPercent, rss_bytes: rssGib * GIB, command,
    })),
  };
}

const SHAPES: Record<HostMetric, { unit: string; lines: [string, number, number][] }> = {
  cpu: { unit: "percent", lines: [["user", 4, 45], ["system", 1, 12], ["iowait", 0, 6]] },
  memory: { unit: "bytes", lines: [["used", 16 * GIB, 4 * GIB], ["cached", 7 * GIB, 2 * GIB], ["swap", 0.3 * GIB, 0.05 * GIB]] },
  load: { unit: "load", lines: [["1m", 0.6, 3], ["5m", 0.9, 1.6], ["15m", 1.1, 1]] },
  disk: { unit: "percent", lines: [["/", 42, 0.2], ["/var/lib/postgresql", 88, 2.2], ["/backup", 57, 0.6]] },
  network: { unit: "bytes_per_second", lines: [["eth0 in", 9e5, 3.4e6], ["eth0 out", 2e6, 8e6], ["wg0 in", 1e4, 2e4], ["wg0 out", 9e3, 2e4]] },
  disk_io: { unit: "bytes/s", lines: [["nvme0n1 read", 2e5, 4e6], ["nvme0n1 written", 6e5, 9e6]] },
  temperature: { unit: "celsius", lines: [["cpu", 44, 18]] },
  fds: { unit: "files", lines: [["open", 10_400, 1_900]] },
};

export function hostSeries(metric: HostMetric, startS: number, endS: number, stepS: number): HostSeries {
  const shape = SHAPES[metric];
  const first = Math.ceil(startS / stepS) * stepS;
  const times = Array.from({ length: Math.max(0, Math.floor((endS - first) / stepS) + 1) }, (_, index) => first + index * stepS);
  return {
    metric,
    unit: shape.unit,
    step_s: stepS,
    series: shape.lines.map(([label, base, swing]) => ({
      label,
      points: times.map((time): [number, number | null] => [time, base + swing * wave(metric + label, time)]),
    })),
  };
}
