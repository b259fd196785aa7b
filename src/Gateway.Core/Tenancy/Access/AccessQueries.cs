using System.Data.Common;
using System.Globalization;
using System.Text;
using Dapper;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy.Access;

/// <summary>
/// Who may enter: read from the database for each request, in one statement, and once more in the transaction of
/// whoever changes something. The scope is judged before anything else is looked at, so no answer tells whether
/// somebody else's project or organization exists. A key that is bound sees nothing but what it is bound to.
/// </summary>
internal sealed class AccessQueries(TokenFormat format, Func<string, bool> isProjectToken, TimeProvider time)
{
    public const string Current = "@current";

    private const int MaxKeyLength = 128;

    /// <summary>As many as an organization may have, a few times over; a list of the caller's is cut there.</summary>
    private const int MaxListed = 10_000;

    /// <summary>Refuses what cannot be anyone's without asking the database; null when it may be someone's.</summary>
    public Refusal? Refuse(Caller caller)
    {
        if (caller.SessionId is not null) return null;
        if (string.IsNullOrEmpty(caller.Key))
        {
            return Refusal.Unauthenticated(
                "Sign in, or give a personal API key: Authorization: Bearer phx_….");
        }

        if (!caller.Key.StartsWith(TokenFormat.PersonalPrefix, StringComparison.Ordinal))
        {
            return Refusal.Unauthenticated(
                caller.Key.StartsWith(TokenFormat.ProjectPrefix, StringComparison.Ordinal) || isProjectToken(caller.Key)
                    ? "A project token can only send events. Reading needs a personal API key (phx_…)."
                    : "The personal API key is not valid.");
        }

        return caller.Key.Length > MaxKeyLength || !Ascii.IsValid(caller.Key) || IsMistyped(caller.Key)
            ? Unknown(caller)
            : null;
    }

    /// <summary>Who asks, whatever they may enter.</summary>
    public async Task<Outcome<Actor>> WhoAsync(
        DbConnection connection, DbTransaction? transaction, Caller caller, string scope)
    {
        if (Refuse(caller) is { } refusal) return refusal;

        string sql = $"{AccessSql.Who(caller)} {AccessSql.From(caller)}";
        var row = await connection.QuerySingleOrDefaultAsync<AccessRow>(sql, Parameters(caller), transaction);
        return row is null ? Unknown(caller) : Judge(row, caller, scope);
    }

    /// <summary>One project, by its id or <c>@current</c>.</summary>
    public async Task<Outcome<ProjectAccess>> ProjectAsync(
        DbConnection connection, DbTransaction? transaction, Caller caller, string idOrCurrent, string scope)
    {
        if (Refuse(caller) is { } refusal) return refusal;

        // A text that is no id is looked for as 0, which no project has: its answers are those of any unknown id.
        long? id = idOrCurrent == Current ? null : ParseId(idOrCurrent);
        string sql = AccessSql.Projects(caller, onlyOne: id is not null, ofOrganization: false);
        object parameters = Parameters(caller, projectId: id, limit: 1);
        var row = await connection.QuerySingleOrDefaultAsync<AccessRow>(sql, parameters, transaction);
        if (row is null) return Unknown(caller);

        var actor = Judge(row, caller, scope);
        if (actor.Refusal is not null) return actor.Refusal;

        bool isLost = id is null && IsLost(row, scope, row.CurrentProjectId, row.ProjectId);
        return row.ProjectId is null || isLost
            ? Refusal.NotFound("There is no such project.")
            : row.ToProject(actor.Value);
    }

    /// <summary>All projects that the caller may enter, of one organization or of all, by their ids.</summary>
    public async Task<Outcome<List<ProjectAccess>>> ProjectsAsync(
        DbConnection connection, Caller caller, string scope, long? organizationId = null)
    {
        if (Refuse(caller) is { } refusal) return refusal;

        string sql = AccessSql.Projects(caller, onlyOne: false, ofOrganization: organizationId is not null);
        object parameters = Parameters(caller, organizationId: organizationId, limit: MaxListed);
        var rows = (await connection.QueryAsync<AccessRow>(sql, parameters)).AsList();
        if (rows.Count == 0) return Unknown(caller);

        var actor = Judge(rows[0], caller, scope);
        if (actor.Refusal is not null) return actor.Refusal;

        return rows.Where(row => row.ProjectId is not null)
            .Select(row => row.ToProject(actor.Value))
            .OrderBy(project => project.ProjectId)
            .ToList();
    }

    /// <summary>One organization, by its uuid or <c>@current</c>.</summary>
    public async Task<Outcome<OrganizationAccess>> OrganizationAsync(
        DbConnection connection, DbTransaction? transaction, Caller caller, string idOrCurrent, string scope,
        bool withDeleted = false)
    {
        if (Refuse(caller) is { } refusal) return refusal;

        bool isCurrent = idOrCurrent == Current;
        string uuid = ExactUuid.Kept(idOrCurrent);
        string sql = AccessSql.Organizations(caller, onlyOne: !isCurrent, withDeleted && !isCurrent);
        object parameters = Parameters(caller, organization: uuid, limit: 1);
        var row = await connection.QuerySingleOrDefaultAsync<AccessRow>(sql, parameters, transaction);
        if (row is null) return Unknown(caller);

        var actor = Judge(row, caller, scope);
        if (actor.Refusal is not null) return actor.Refusal;

        bool isLost = isCurrent && IsLost(row, scope, row.CurrentOrganizationId, row.OrganizationRowId);
        return row.OrganizationRowId is null || isLost
            ? Refusal.NotFound("There is no such organization.")
            : row.ToOrganization(actor.Value);
    }

    /// <summary>All organizations that the caller is a member of, oldest first.</summary>
    public async Task<Outcome<List<OrganizationAccess>>> OrganizationsAsync(
        DbConnection connection, Caller caller, string scope)
    {
        if (Refuse(caller) is { } refusal) return refusal;

        string sql = AccessSql.Organizations(caller, onlyOne: false, withDeleted: false);
        var rows = (await connection.QueryAsync<AccessRow>(sql, Parameters(caller, limit: MaxListed))).AsList();
        if (rows.Count == 0) return Unknown(caller);

        var actor = Judge(rows[0], caller, scope);
        if (actor.Refusal is not null) return actor.Refusal;

        return rows.Where(row => row.OrganizationRowId is not null)
            .OrderBy(row => row.OrganizationRowId)
            .Select(row => row.ToOrganization(actor.Value))
            .ToList();
    }

    /// <summary>
    /// Whether what was current cannot be entered any more. Reading then goes on with the first of the rest; changing
    /// does not, or a request that is sent again would change something else.
    /// </summary>
    private static bool IsLost(AccessRow row, string scope, long? wish, long? found) =>
        wish is not null && wish != found && row.IsBound == 0
        && scope.EndsWith(":write", StringComparison.Ordinal);

    private static long ParseId(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long id) ? id : 0;

    private static Refusal Unknown(Caller caller) => Refusal.Unauthenticated(caller.Key is null
        ? "The session has ended. Sign in again."
        : "The personal API key is not valid.");

    private static Outcome<Actor> Judge(AccessRow row, Caller caller, string scope) =>
        row.Scopes is null || Scopes.Hold(row.Scopes, scope)
            ? row.ToActor(caller)
            : Refusal.Forbidden($"The personal API key lacks the scope {scope}.");

    private object Parameters(
        Caller caller, long? projectId = null, long? organizationId = null, string organization = "", int limit = 1) =>
        new
        {
            caller.Sha256,
            Now = time.GetUtcNow().ToUnixMicroseconds(),
            ProjectId = projectId ?? 0,
            OrganizationId = organizationId ?? 0,
            Organization = organization,
            Limit = limit,
        };

    private bool IsMistyped(string key)
    {
        Span<byte> text = stackalloc byte[MaxKeyLength];
        text = text[..Encoding.ASCII.GetBytes(key, text)];
        return TokenFormat.IsPersonalKey(text) && !format.HasOurMac(text);
    }
}
