/** What the API answers, as far as the console reads it: docs/api.md says what each means. */

export type OrganizationLevel = 1 | 8 | 15;
export type ProjectLevel = "none" | "member" | "admin";

export interface MyProject {
  id: number;
  organization: string;
  name: string;
  timezone: string;
}

export interface MyOrganization {
  id: string;
  name: string;
  membership_level: OrganizationLevel;
  projects: MyProject[];
}

export interface Me {
  id: string;
  email: string;
  first_name: string;
  last_name: string;
  organization: MyOrganization | null;
  project: MyProject | null;
  organizations: MyOrganization[];
}

export interface InviteView {
  organization_name: string;
  email: string;
  level: OrganizationLevel;
  expires_at: string;
}

export interface Project {
  id: number;
  organization: string;
  name: string;
  api_token: string | null;
  timezone: string;
  anonymize_ips: boolean;
  allowed_origins: string[];
  default_access: "none" | "member";
  events_per_second: number;
  bytes_per_second: number;
  access_level: ProjectLevel;
  created_at: string;
  revoked_at?: string;
  epoch?: number;
  lose_access?: string[];
  gain_access?: string[];
}

export interface Organization {
  id: string;
  name: string;
  plan: string;
  membership_level: OrganizationLevel;
}

export interface Member {
  user: { id: string; email: string; first_name: string; last_name: string };
  level: OrganizationLevel;
  joined_at: string;
  last_login: string | null;
}

export interface Invite {
  id: string;
  target_email: string;
  level: OrganizationLevel;
  created_by: string;
  expires_at: string;
  link?: string;
}

export interface ProjectMember {
  user: string;
  email: string;
  organization_level: OrganizationLevel;
  own_level: ProjectLevel | null;
  level: ProjectLevel;
}

export interface DeletedProject {
  id: number;
  name: string;
  deleted_at: string;
  state: "waiting" | "erasing" | "erased";
  erased_rows: number;
  erased_at: string | null;
  waits_for_gateways: number;
}

export interface AuditRow {
  number: number;
  at: string;
  actor: string;
  via: string;
  ip: string;
  action: string;
  target: string;
  detail: unknown;
  hash: string;
}

export interface AuditHead {
  count: number;
  hash: string;
}

export interface AuditPage {
  count: number;
  next: string | null;
  head: AuditHead;
  results: AuditRow[];
}

export interface AuditCheck {
  intact: boolean;
  first_bad: number | null;
  reason: string | null;
  head: AuditHead;
}

export interface PersonalKey {
  id: number;
  label: string;
  mask_value: string;
  scopes: string[];
  scoped_organizations: string[];
  scoped_projects: number[];
  created_at: string;
  last_used_at: string | null;
  value?: string;
}

export interface LedgerCounts {
  accepted: number;
  shipped: number;
  stored: number | null;
  duplicates: number | null;
  quarantined: number;
  erased: number;
  waiting: number;
  damaged: number;
  missed: number;
  refused: number;
}

export interface Ledger {
  from: string;
  to: string;
  alarm: boolean;
  lost_records: number;
  totals: LedgerCounts;
  minutes: { minute: string; counts: LedgerCounts }[];
}

export interface Freshness {
  events: number;
  p50_seconds: number | null;
  p99_seconds: number | null;
  window_seconds: number;
}

export interface HealthMinute {
  minute: string;
  waiting: number;
  freshness_events: number;
  p50_seconds: number | null;
  p99_seconds: number | null;
  refused: Record<string, number>;
}

export interface Health {
  from: string;
  to: string;
  minutes: HealthMinute[];
  refused: Record<string, number>;
  unattributed: Record<string, number>;
}

export interface QuarantinedEvent {
  id: number;
  origin: "store" | "capture";
  code: string;
  reason: string;
  received_at: string;
  quarantined_at: string;
  event: unknown;
}

export interface ReplayAnswer {
  replayed: number;
  failed: number;
  errors: { id: number; code: string; detail: string }[];
}

export interface EventsAnswer {
  columns: string[];
  results: unknown[][];
  hasMore: boolean;
  nextCursor: string | null;
}

export interface TrendsResult {
  action: { math: "total" | "dau" };
  label: string;
  count: number;
  data: number[];
  labels: string[];
  days: string[];
  breakdown_value?: string;
}

export interface TrendsAnswer {
  results: TrendsResult[];
}
