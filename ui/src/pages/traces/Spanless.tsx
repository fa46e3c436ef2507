// Where no span has come, a page of traces teaches how to send some; else it gets the services that have any.
import { IconListTree } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { traceServicesQuery } from "@/api/traceQueries";
import { Empty, QueryView, SkeletonRows } from "@/components/states";

export function Spanless({ children }: { children: (services: readonly string[]) => ReactNode }) {
  const services = useQuery(traceServicesQuery);
  return (
    <QueryView query={services} skeleton={<SkeletonRows rows={10} />}>
      {(known) => (known.length === 0 ? <Beginning /> : <>{children(known)}</>)}
    </QueryView>
  );
}

function Beginning() {
  const address = window.location.origin;
  return (
    <Empty
      title="No traces yet"
      icon={<IconListTree size={32} stroke={1.4} />}
      snippet={`pip install opentelemetry-distro opentelemetry-exporter-otlp\nopentelemetry-bootstrap -a install\nexport OTEL_SERVICE_NAME=orders\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_EXPORTER_OTLP_ENDPOINT=${address}\nexport OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer hf_..."\nopentelemetry-instrument python app.py`}
    >
      Every OpenTelemetry SDK and the Collector send spans here: OTLP over HTTP to <code>/v1/traces</code>, over gRPC to port 4317. A token that may write comes from Settings, Tokens.
    </Empty>
  );
}
