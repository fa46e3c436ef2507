// One dashboard: variables, rows, panels; changed in place by those who may.
import { Button, Menu } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDots, IconDownload, IconFlag, IconHistory, IconPencil, IconPoint, IconPrinter, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { useNavigate, useParams, useSearchParams } from "react-router";
import { remove } from "@/api/client";
import { dashboardPath, dashboardQuery } from "@/api/dashboardQueries";
import type { DashboardDetail, DashboardDocument } from "@/api/types";
import { Confirm } from "@/components/Confirm";
import { Page } from "@/components/Page";
import { Empty, QueryView, SkeletonBlock } from "@/components/states";
import { When } from "@/components/When";
import { durationSeconds } from "@/lib/promql";
import { saveFile } from "@/lib/saveFile";
import { type Preset, PRESETS } from "@/lib/timerange";
import { useMay } from "@/state/session";
import { useKeys } from "@/state/shortcuts";
import { useCarry, useTimeRange, useUrlFilter } from "@/state/timerange";
import { VariablesContext, RefreshContext, refreshMs, ShownContext } from "./panels/data";
import { EagerContext, usePrint } from "./printing";
import { Rows } from "./Rows";
import { VariableBar } from "./VariableBar";
import { useVariables } from "./variables";
import { VersionsDrawer } from "./VersionsDrawer";

const Builder = lazy(async () => ({ default: (await import("./Builder")).Builder }));

export function Dashboard() {
  const { id = "" } = useParams();
  const query = useQuery(dashboardQuery(id));
  if (query.data) return <Loaded key={id} detail={query.data} />;
  return (
    <Page title="Dashboard" name="Dashboard">
      <QueryView query={query} skeleton={<SkeletonBlock height={420} />} list={{ to: "/dashboards", text: "All dashboards" }}>
        {() => null}
      </QueryView>
    </Page>
  );
}

function Loaded({ detail }: { detail: DashboardDetail }) {
  const { dashboard, document } = detail;
  const [isEditing, setEditing] = useState(false);
  const [started, setStarted] = useState(detail);
  const [isVersions, setVersions] = useState(false);
  const mayWrite = useMay("dashboards.write") && dashboard.source === "console";
  useOwnRange(document);
  const editButton = useRef<HTMLButtonElement>(null);
  const endEditing = (): void => {
    setEditing(false);
    requestAnimationFrame(() => editButton.current?.focus());
  };
  const edit = (from: DashboardDetail = detail): void => {
    setStarted(from);
    setEditing(true);
  };
  const { isPreparing, print } = usePrint();
  useKeys({ ...(mayWrite && !isEditing ? { e: () => edit() } : {}) });
  if (isEditing) {
    return (
      <Suspense fallback={<Page title={document.title} name={document.title}><SkeletonBlock height={420} /></Page>}>
        <Builder id={dashboard.id} started={{ document: started.document, version: started.dashboard.version }} onDone={endEditing} />
      </Suspense>
    );
  }
  return (
    <Page
      title={document.title}
      name={document.title}
      subtitle={dashboard.source === "file" ? <>Lives in ops/dashboards/{dashboard.id}.json; change it there</> : document.description || <>Version {dashboard.version}, saved <When at={dashboard.updated_at} /></>}
      actions={
        <>
          {mayWrite && (
            <Button ref={editButton} variant="default" leftSection={<IconPencil size={14} />} onClick={() => edit()} data-tip="Change  e">
              Edit
            </Button>
          )}
          <More detail={detail} mayWrite={mayWrite} onVersions={() => setVersions(true)} onPrint={print} isPreparing={isPreparing} />
        </>
      }
    >
      <EagerContext value={isPreparing}>
        <Board document={document} onEdit={mayWrite ? () => edit() : null} />
      </EagerContext>
      {dashboard.source === "console" && (
        <VersionsDrawer
          dashboard={dashboard}
          isOpen={isVersions}
          onClose={() => setVersions(false)}
          onRestore={
            mayWrite
              ? (old) => {
                  setVersions(false);
                  edit({ ...detail, document: old });
                  notifications.show({ message: "This is what it was. Save to bring it back." });
                }
              : null
          }
        />
      )}
    </Page>
  );
}

function Board({ document, onEdit }: { document: DashboardDocument; onEdit: (() => void) | null }) {
  const { states, chosen, known, choose } = useVariables(document.variables);
  const { exemplars, events } = useShown(document);
  const shown = useMemo(() => ({ exemplars: exemplars.isShown, events: events.isShown }), [exemplars.isShown, events.isShown]);
  const count = document.rows.reduce((sum, row) => sum + row.panels.length, 0);
  return (
    <RefreshContext value={refreshMs(document.refresh)}>
      <VariableBar states={states} chosen={chosen} onChoose={choose} />
      <VariablesContext value={known}>
        <ShownContext value={shown}>{count === 0 ? <NoPanels onEdit={onEdit} /> : <Rows rows={document.rows} chosen={chosen} />}</ShownContext>
      </VariablesContext>
    </RefreshContext>
  );
}

function NoPanels({ onEdit }: { onEdit: (() => void) | null }) {
  return (
    <Empty title="No panels yet">
      {onEdit ? (
        <Button variant="default" leftSection={<IconPencil size={14} />} onClick={onEdit}>
          Add the first one
        </Button>
      ) : (
        "Whoever may change this dashboard can add some."
      )}
    </Empty>
  );
}

interface MoreProps {
  detail: DashboardDetail;
  mayWrite: boolean;
  onVersions: () => void;
  onPrint: () => void;
  isPreparing: boolean;
}

function More({ detail: { dashboard, document }, mayWrite, onVersions, onPrint, isPreparing }: MoreProps) {
  const [isAsking, setAsking] = useState(false);
  const client = useQueryClient();
  const navigate = useNavigate();
  const carry = useCarry();
  const { exemplars, events } = useShown(document);
  const deletion = useMutation({
    mutationFn: () => remove(dashboardPath(dashboard.id)),
    onSuccess: () => {
      client.removeQueries({ queryKey: ["dashboards", "one", dashboard.id] });
      void client.invalidateQueries({ queryKey: ["dashboards", "list"] });
      void navigate(carry("/dashboards"));
    },
  });
  return (
    <>
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <Button variant="default" aria-label="More" px={8} loading={isPreparing}>
            <IconDots size={16} />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPoint size={14} />} onClick={exemplars.toggle}>
            {exemplars.isShown ? "Hide exemplars" : "Show exemplars"}
          </Menu.Item>
          <Menu.Item leftSection={<IconFlag size={14} />} onClick={events.toggle}>
            {events.isShown ? "Hide events" : "Show events"}
          </Menu.Item>
          {dashboard.source === "console" && (
            <Menu.Item leftSection={<IconHistory size={14} />} onClick={onVersions}>
              Versions
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconDownload size={14} />} onClick={() => download(dashboard.id, document)}>
            Save as a file
          </Menu.Item>
          <Menu.Item leftSection={<IconPrinter size={14} />} onClick={onPrint}>
            Print
          </Menu.Item>
          {mayWrite && (
            <Menu.Item leftSection={<IconTrash size={14} />} onClick={() => setAsking(true)}>
              Delete
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Confirm isOpen={isAsking} title={`Delete “${document.title}”?`} action="Delete it" isPending={deletion.isPending} error={deletion.error} onClose={() => setAsking(false)} onConfirm={() => deletion.mutate()}>
        It goes from the list for everybody. Its versions stay in the database.
      </Confirm>
    </>
  );
}

/** What curves carry: as the dashboard says, unless the address says otherwise (`exemplars=0`, `marks=1`). */
function useShown(content: DashboardDocument): Record<"exemplars" | "events", { isShown: boolean; toggle: () => void }> {
  const [exemplars, setExemplars] = useUrlFilter("exemplars");
  const [marks, setMarks] = useUrlFilter("marks");
  const one = (text: string, usual: boolean, set: (text: string) => void) => {
    const isShown = text === "" ? usual : text !== "0";
    return { isShown, toggle: () => set(isShown === usual ? (usual ? "0" : "1") : "") };
  };
  return { exemplars: one(exemplars, content.exemplars, setExemplars), events: one(marks, content.events, setMarks) };
}

/** As `ops/dashboards` wants it. */
function download(id: string, content: DashboardDocument): void {
  const name = content.title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || id;
  saveFile(`${name}.json`, "application/json", `${JSON.stringify(content, null, 2)}\n`);
}

/** A dashboard opens with its own time range, unless the address names one. */
function useOwnRange(content: DashboardDocument): void {
  const { setRange } = useTimeRange();
  const [params] = useSearchParams();
  const isDone = useRef(false);
  useEffect(() => {
    if (isDone.current) return;
    isDone.current = true;
    if (params.has("range") || params.has("from")) return;
    const wanted = durationSeconds(content.time?.from ?? "1h");
    const presets = Object.keys(PRESETS) as Preset[];
    const preset = presets.find((one) => PRESETS[one].seconds >= wanted) ?? presets.at(-1);
    if (preset && preset !== "1h") setRange({ kind: "preset", preset });
  }, [content, params, setRange]);
}
