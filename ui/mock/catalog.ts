// The pretended estate: a shop and what it stands on. Names and numbers only; behaviour stands in world.ts.

export interface MockService {
  name: string;
  title: string;
  kind: string;
  type: string;
  owner: string;
  system: string;
  tier: string;
  description: string;
  depends_on: string[];
  tags: string[];
}

const service = (
  name: string, title: string, type: string, owner: string, tier: string, depends_on: string[], description: string,
  system = "shop", kind = "Component",
): MockService => ({ name, title, kind, type, owner, system, tier, description, depends_on, tags: [type, tier] });

export const SERVICES: MockService[] = [
  service("gateway", "API gateway", "service", "group:default/edge", "tier-1", ["catalog", "orders", "redis"], "Terminates JWTs, limits rates and routes to the services behind it."),
  service("catalog", "Product catalogue", "service", "group:default/storefront", "tier-1", ["postgres", "redis", "search"], "Products, prices and stock hints; cache-aside on Redis."),
  service("orders", "Orders", "service", "group:default/checkout", "tier-1", ["inventory", "payments", "postgres", "nats"], "Takes orders once, whatever the client retries; writes an outbox."),
  service("inventory", "Inventory", "service", "group:default/storefront", "tier-2", ["postgres"], "gRPC; reserves stock with deadlines."),
  service("payments", "Payments", "service", "group:default/checkout", "tier-1", ["postgres", "card-provider"], "In front of a card provider that fails now and then."),
  service("notifier", "Notifier", "service", "group:default/checkout", "tier-3", ["nats", "smtp"], "Turns order events into mail; dead letters after five tries."),
  service("card-provider", "Card provider", "external", "group:default/checkout", "tier-1", [], "The outside world.", "shop", "Resource"),
  service("postgres", "PostgreSQL", "database", "group:default/platform", "tier-1", [], "Primary and one replica.", "platform", "Resource"),
  service("redis", "Redis", "cache", "group:default/platform", "tier-2", [], "Cache and rate limits.", "platform", "Resource"),
  service("nats", "NATS", "broker", "group:default/platform", "tier-2", [], "Order events on JetStream.", "platform", "Resource"),
  service("search", "Search cluster", "database", "group:default/platform", "tier-2", [], "Elasticsearch, three nodes, and Kibana.", "platform", "Resource"),
  service("kubernetes", "Kubernetes", "cluster", "group:default/platform", "tier-1", [], "The cluster that runs the shop.", "platform", "Resource"),
  service("observability", "Observability", "tooling", "group:default/platform", "tier-3", ["kubernetes"], "Prometheus and Grafana.", "platform"),
  service("smtp", "Mail relay", "external", "group:default/platform", "tier-3", [], "Outbound mail.", "platform", "Resource"),
];

export interface MockCheck {
  name: string;
  kind: string;
  service: string | null;
  target: string;
  every_s: number;
  base_s: number;
  parents: string[];
}

const check = (
  name: string, kind: string, serviceName: string | null, target: string, baseMs: number, everyS = 10, parents: string[] = [],
): MockCheck => ({ name, kind, service: serviceName, target, every_s: everyS, base_s: baseMs / 1000, parents });

const APPS: [string, number][] = [["gateway", 8000], ["catalog", 8001], ["orders", 8002], ["payments", 8004], ["notifier", 8005]];

export const CHECKS: MockCheck[] = [
  ...APPS.flatMap(([name, port]) => [
    check(`${name}-live`, "http", name, `http://127.0.0.1:${port}/livez`, 3),
    check(`${name}-ready`, "http", name, `http://127.0.0.1:${port}/readyz`, 9, 5),
    check(`${name}-port`, "tcp", name, `127.0.0.1:${port}`, 0.6, 15),
    check(`${name}-metrics`, "http", name, `http://127.0.0.1:${port}/metrics`, 12, 30),
  ]),
  check("gateway-tls", "tls", "gateway", "shop.example.net:443", 41, 60),
  check("gateway-dns", "dns", "gateway", "shop.example.net A", 7, 60),
  check("gateway-checkout-journey", "http", "gateway", "https://shop.example.net/api/checkout/preview", 184, 30),
  check("catalog-search", "http", "catalog", "http://127.0.0.1:8001/products?q=lamp", 46, 15),
  check("orders-create", "http", "orders", "http://127.0.0.1:8002/orders", 68, 30),
  check("orders-outbox-lag", "script", "orders", "./ops/bin/outbox-lag", 120, 60),
  check("inventory-health", "grpc", "inventory", "127.0.0.1:8003", 4),
  check("inventory-port", "tcp", "inventory", "127.0.0.1:8003", 0.5, 15),
  check("inventory-reserve", "grpc", "inventory", "127.0.0.1:8003/shop.Inventory", 11, 30),
  check("payments-authorise", "http", "payments", "http://127.0.0.1:8004/authorise/test", 96, 15),
  check("payments-settlement-job", "heartbeat", "payments", "settlement", 0, 3600),
  check("card-provider-api", "http", "card-provider", "https://api.cards.example.com/status", 142, 30),
  check("card-provider-tls", "tls", "card-provider", "api.cards.example.com:443", 58, 300),
  check("postgres-primary", "postgres", "postgres", "127.0.0.1:5432/shop", 5),
  check("postgres-replica", "postgres", "postgres", "127.0.0.1:5433/shop", 6),
  check("postgres-port", "tcp", "postgres", "127.0.0.1:5432", 0.4, 10),
  check("postgres-backup", "heartbeat", "postgres", "nightly-backup", 0, 86400),
  check("redis-ping", "redis", "redis", "127.0.0.1:6379", 0.7),
  check("redis-memory", "redis", "redis", "127.0.0.1:6379", 0.9, 60),
  check("nats-server", "nats", "nats", "127.0.0.1:4222", 2.1),
  check("nats-jetstream", "nats", "nats", "127.0.0.1:4222/ORDERS", 3.4, 30, ["nats-server"]),
  check("search-cluster", "elasticsearch", "search", "http://127.0.0.1:9200", 21, 15),
  check("search-node-1", "tcp", "search", "10.0.4.11:9300", 0.9, 15),
  check("search-node-2", "tcp", "search", "10.0.4.12:9300", 0.9, 15),
  check("search-node-3", "tcp", "search", "10.0.4.13:9300", 1.0, 15),
  check("search-kibana", "kibana", "search", "http://127.0.0.1:5601", 63, 30, ["search-cluster"]),
  check("kubernetes-api", "kubernetes", "kubernetes", "https://10.0.0.1:6443/readyz?verbose", 18, 15),
  check("kubernetes-nodes", "kubernetes", "kubernetes", "https://10.0.0.1:6443 nodes", 34, 30, ["kubernetes-api"]),
  check("kubernetes-workloads", "kubernetes", "kubernetes", "https://10.0.0.1:6443 workloads", 52, 30, ["kubernetes-api"]),
  check("prometheus-ready", "prometheus", "observability", "http://127.0.0.1:9090", 4, 15),
  check("prometheus-targets", "prometheus", "observability", "http://127.0.0.1:9090/api/v1/targets", 15, 60, ["prometheus-ready"]),
  check("grafana-health", "grafana", "observability", "http://127.0.0.1:3000", 8, 30),
  check("smtp-banner", "tcp", "smtp", "mail.example.net:25", 31, 60),
  check("smtp-dns-mx", "dns", "smtp", "example.net MX", 9, 300),
  check("bastion-ssh", "ssh", null, "bastion.example.net:22", 22, 60),
  check("office-gateway-ping", "icmp", null, "192.0.2.1", 1.8, 30),
  check("legacy-kafka", "kafka", null, "10.0.7.20:9092", 12, 30, ["office-gateway-ping"]),
];
