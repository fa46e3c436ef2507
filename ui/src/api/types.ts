// Short names for the generated shapes of the API (schema.d.ts, from openapi.json). Nothing is described here by hand.
import type { components } from "./schema";

type Schemas = components["schemas"];

/** A list as every listing answers it; `next` is the cursor of the page that follows. */
export interface Page<T, C = string | null> {
  items: T[];
  next?: C;
}

export type Verdict = Schemas["Verdict"];
export type Role = Schemas["Role"];
export type Fault = Schemas["FaultDocument"];
/** RFC 9457. Status 0 stands for a server that was not reached at all. */
export type Problem = Partial<Schemas["ProblemDocument"]> & Pick<Schemas["ProblemDocument"], "title" | "status">;

export type Session = Schemas["SessionDocument"];
export type Status = Schemas["Status"];
export type LogEvent = Schemas["EventOut"];
export type EventPage = Schemas["EventPage"];
export type Deploy = Schemas["Deploy"];
export type DeployList = Schemas["DeployList"];

export type UptimeShare = Schemas["UptimeShare"];
export type UptimeWindows = Schemas["UptimeWindows"];
export type Uptime = Schemas["UptimeView"];
export type UptimeBucket = Schemas["UptimeBucket"];
export type RecentResult = Schemas["RecentResult"];
export type CheckSummary = Schemas["CheckSummary"];
export type CheckDetail = Schemas["CheckDetail"];
export type CheckResult = Schemas["RunView"];
export type Phases = Schemas["PhasesView"];
export type PhaseName = keyof Phases;
export type Latency = Schemas["LatencyView"];
export type LatencyPoint = Schemas["LatencyPointView"];
export type MaintenanceWindow = Schemas["WindowView"];
export type NewMaintenanceWindow = Schemas["WindowIn"];

export type Reason = Schemas["ReasonOut"];
export type ServiceSummary = Schemas["ServiceSummary"];
export type ServiceDetail = Schemas["ServiceDetail"];
export type ServiceGraph = Schemas["GraphOut"];

export type Token = Schemas["TokenDocument"];
export type NewToken = Schemas["NewTokenDocument"];
export type TokenBody = Schemas["TokenBody"];
export type User = Schemas["UserDocument"];
export type UserBody = Schemas["UserBody"];
export type UserPatch = Schemas["UserPatch"];

export type HostSnapshot = Schemas["HostOut"];
export type HostMetric = Schemas["HostMetric"];
export type HostSeries = Schemas["HostSeriesOut"];

export type RunState = Schemas["RunState"];
export type StepState = Schemas["StepState"];
export type StepKind = Schemas["StepKind"];
export type Payload = Schemas["PayloadDocument"];
export type RunFailure = Schemas["FailureDocument"];
export type RunWait = Schemas["WaitDocument"];
export type RunSummary = Schemas["RunSummary"];
export type RunDetail = Schemas["RunDetail"];
export type RunList = Schemas["RunList"];
export type RunPlan = Schemas["PlanDocument"];
export type RunSignal = Schemas["SignalDocument"];
export type RunAttempt = Schemas["AttemptDocument"];
export type RunStep = Schemas["StepDocument"];
export type RunMap = Schemas["MapDocument"];
export type StepList = Schemas["StepList"];
export type RunLogLine = Schemas["LogLineDocument"];
export type RunLogPage = Schemas["LogPage"];
export type StartBody = Schemas["StartBody"];
export type SignalBody = Schemas["SignalBody"];
export type ReasonBody = Schemas["ReasonBody"];
export type ReplayBody = Schemas["ReplayBody"];
export type ResolveBody = Schemas["ResolveBody"];
export type StartedRun = Schemas["StartedDocument"];
export type Workflow = Schemas["WorkflowDocument"];
export type WorkflowList = Schemas["WorkflowList"];

export type RunQueue = Schemas["QueueDocument"];
export type RunSchedule = Schemas["ScheduleDocument"];

export type Dashboard = Schemas["DashboardOut"];
export type DashboardDetail = Schemas["DashboardDetail"];
export type DashboardDocument = Schemas["Document"];
export type DashboardRow = Schemas["Row"];
export type DashboardPanel = Schemas["Panel"];
export type DashboardVariable = Schemas["Variable"];
export type DashboardVersion = Schemas["VersionOut"];
export type DashboardImport = Schemas["ImportOut"];
export type PanelKind = Schemas["PanelKind"];
export type PanelQuery = Schemas["Query"];
export type PanelThreshold = Schemas["Threshold"];

export type Cardinality = Schemas["CardinalityReport"];
export type Explosion = Schemas["Explosion"];
export type MetricCount = Schemas["MetricCount"];
export type LabelCount = Schemas["LabelCount"];
export type OriginCount = Schemas["OriginCount"];
export type UnusedMetric = Schemas["UnusedMetric"];
export type MetricMakeup = Schemas["MetricMakeup"];
export type SeriesGrowth = Schemas["SeriesGrowth"];

export type Targets = Schemas["TargetsOut"];
export type DiscoveryFailure = Schemas["DiscoveryFailureOut"];
export type ActiveTarget = Schemas["ActiveTargetOut"];
export type DroppedTarget = Schemas["DroppedTargetOut"];

export type TraceLine = Schemas["TraceLine"];
export type TraceList = Schemas["TraceList"];
export type TraceDocument = Schemas["TraceOut"];
export type SpanDetail = Schemas["SpanOut"];
export type TraceLatency = Schemas["LatencyOut"];
export type SpanGroup = Schemas["GroupOut"];
export type SpanGroups = Schemas["GroupsOut"];
export type Selection = Partial<Schemas["SelectionIn"]>;
export type Comparison = Schemas["ComparisonOut"];
export type Contrast = Schemas["ContrastOut"];
export type Growth = Schemas["GrowthOut"];
export type TraceMap = Schemas["MapOut"];
export type MapEdge = Schemas["MapEdge"];
export type MapNode = Schemas["MapNode"];
export type Rates = Schemas["RatesOut"];

export type Around = Schemas["AroundOut"];
export type Finding = Schemas["FindingOut"];
export type AroundLane = Schemas["Lane"];

export type SavedSearch = Schemas["SearchOut"];
export type SearchKind = Schemas["SearchKind"];
export type SearchBody = Schemas["SearchIn"];

export type Investigation = Schemas["Investigation"];
export type InvestigationDetail = Schemas["InvestigationDetail"];
export type InvestigationCell = Schemas["Cell"];
/** What a cell does not say is as usual. */
export type CellBody = Pick<Schemas["CellIn"], "kind"> & { content: Partial<Schemas["Content"]>; after?: string };
export type CellContent = Schemas["Content"];
export type CellKind = Schemas["CellKind"];

export type UsageReport = Schemas["UsageReport"];
export type Intake = Schemas["Intake"];
export type IntakeHour = Schemas["IntakeHour"];
export type IntakeOfService = Schemas["IntakeOfService"];
export type LeftOut = Schemas["Dropped"];
export type Use = Schemas["Use"];
export type LimitUse = Schemas["LimitUse"];
export type StorageReport = Schemas["StorageReport"];
export type StoredTable = Schemas["StoredTable"];
export type KeptFor = Schemas["KeptFor"];
export type ScrubReport = Schemas["ScrubReport"];
export type ScrubKind = Schemas["ScrubKind"];
export type ScrubTrial = Schemas["ScrubTrial"];
