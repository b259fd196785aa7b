/** Reasons for people, by the API's names for programs. */
const names: Record<string, string> = {
  revoked_token: "a token of this project that was revoked",
  origin_not_allowed: "from a page that is not allowed",
  rate_limited: "more than the project may send",
  missing_token: "no token",
  mistyped_token: "a mistyped token",
  unknown_token: "an unknown token",
};

export function refusalName(reason: string): string {
  return names[reason] ?? reason.replaceAll("_", " ");
}
