/** Queries of a project's events. */

import { call } from "./client";
import { paths } from "./queries";
import type { EventsAnswer, TrendsAnswer } from "./types";

export type Operator =
  | "exact"
  | "is_not"
  | "icontains"
  | "not_icontains"
  | "regex"
  | "not_regex"
  | "gt"
  | "gte"
  | "lt"
  | "lte"
  | "is_set"
  | "is_not_set";

export const operators: Record<Operator, string> = {
  exact: "is",
  is_not: "is not",
  icontains: "contains",
  not_icontains: "does not contain",
  regex: "matches",
  not_regex: "does not match",
  gt: "greater than",
  gte: "at least",
  lt: "less than",
  lte: "at most",
  is_set: "is set",
  is_not_set: "is not set",
};

export interface PropertyFilter {
  key: string;
  operator: Operator;
  value: string;
}

export interface EventsQuery {
  select: string[];
  event?: string | undefined;
  distinct_id?: string | undefined;
  properties?: object[];
  after?: string | undefined;
  before?: string | undefined;
  orderBy?: string[];
  limit?: number;
  cursor?: string | undefined;
}

export interface TrendsQuery {
  kind: "TrendsQuery";
  series: object[];
  interval: string;
  dateRange: { date_from: string; date_to?: string };
  breakdownFilter?: object;
  properties?: object[];
}

export function queryEvents(project: number, query: EventsQuery, signal?: AbortSignal): Promise<EventsAnswer> {
  return call("POST", queryPath(project), { body: { query: { kind: "EventsQuery", ...query } }, signal });
}

export function queryTrends(project: number, query: TrendsQuery, signal?: AbortSignal): Promise<TrendsAnswer> {
  return call("POST", queryPath(project), { body: { query }, signal });
}

export function queryPath(project: number): string {
  return `${paths.project(project)}query/`;
}

/** As the API takes them; those that are not filled in are left out. */
export function toApiFilters(filters: readonly PropertyFilter[]): object[] {
  return filters
    .filter(({ key, operator, value }) => key !== "" && (value !== "" || isUnary(operator)))
    .map(({ key, operator, value }) => (isUnary(operator) ? { key, operator } : { key, operator, value }));
}

export function isUnary(operator: Operator): boolean {
  return operator === "is_set" || operator === "is_not_set";
}
