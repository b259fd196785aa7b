using System.Globalization;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tenancy;

internal enum SiloStep
{
    CreateOrganization,
    Join,
    Remove,
    ChangeLevel,
    CreateProject,
    SetDefault,
    Say,
    Move,
    DeleteProject,
    ResetToken,
    CreateKey,
    RollKey,
    RevokeKey,
    SetPlan,
    DeleteOrganization,
}

/// <summary>One step: numbers are taken modulo what there is at that moment, so that any sequence can be run.</summary>
internal sealed record SiloOperation(SiloStep Step, int By, int Organization, int Project, int User, int Choice);

/// <summary>One sequence of steps, by people of its own, in the model and in a real control plane.</summary>
internal sealed class SiloRun
{
    private const int Users = 4;

    private static readonly int[] Levels = [1, 1, 1, 8, 15];
    private static readonly int?[] ProjectLevels = [0, 1, 8, null];

    private readonly ControlPlane _plane;
    private readonly Func<string, long> _sql;
    private readonly SiloModel _model = new(Users);
    private readonly string[] _users = [.. Enumerable.Range(0, Users).Select(_ => Guid.NewGuid().ToString())];
    private readonly List<Caller> _callers = [];
    private readonly List<long> _keyIds = [];
    private readonly List<Guid> _organizations = [];
    private readonly List<ulong> _projects = [];
    private readonly Dictionary<ulong, string> _tokens = [];
    private readonly HashSet<string> _everyToken = [];

    public SiloRun(ControlPlane plane, Func<string, long> sql)
    {
        (_plane, _sql) = (plane, sql);
        foreach (string user in _users)
        {
            string session = Guid.NewGuid().ToString("N");
            _sql(
                $"""
                INSERT INTO users (uuid, email, first_name, created_at)
                VALUES ('{user}', '{user}@example.com', 'U', 0);
                INSERT INTO sessions (sha256, user_id, created_at, expires_at)
                SELECT '{TokenFormat.Sha256Of(session)}', id, 0, {long.MaxValue} FROM users WHERE uuid = '{user}'
                """);
            _callers.Add(Caller.OfSession(session));
            _keyIds.Add(0);
        }
    }

    /// <summary>Runs it and compares after every step.</summary>
    public async Task RunAsync(IEnumerable<SiloOperation> operations)
    {
        // Whoever is first makes the first, else nearly every short sequence would be about nothing.
        await StepAsync(new SiloOperation(SiloStep.CreateOrganization, 0, 0, 0, 0, 0));
        foreach (var operation in operations)
        {
            await StepAsync(operation);
            await CompareAsync(operation);
        }
    }

    private async Task StepAsync(SiloOperation step)
    {
        int number = step.By % _callers.Count;
        var (by, caller) = (_model.Credentials[number], _callers[number]);
        if (step.Step == SiloStep.CreateOrganization)
        {
            var made = await _plane.Organizations.CreateAsync(caller, "O", default);
            Agree(step, _model.CreateOrganization(by), made.Refusal);
            if (made.Refusal is null) await LearnAsync(made.Value.Id);
            return;
        }

        if (_organizations.Count == 0) return;

        await (step.Step switch
        {
            SiloStep.CreateKey or SiloStep.RollKey or SiloStep.RevokeKey => KeyStepAsync(step, by, caller),
            SiloStep.Join or SiloStep.Remove or SiloStep.ChangeLevel or SiloStep.CreateProject or SiloStep.SetPlan
                or SiloStep.DeleteOrganization => OrganizationStepAsync(step, by, caller),
            _ => ProjectStepAsync(step, by, caller),
        });
    }

    private async Task OrganizationStepAsync(SiloOperation step, SiloModel.Credential by, Caller caller)
    {
        var organization = Pick(_model.Organizations, step.Organization);
        string uuid = IdOf(organization);
        int user = step.User % Users;
        int level = Levels[step.Choice % Levels.Length];
        switch (step.Step)
        {
            case SiloStep.Join:
                if (_model.Join(organization, user, level)) Join(uuid, user, level);
                break;
            case SiloStep.SetPlan:
                organization.IsFree = step.Choice % 2 == 0;
                _sql($"UPDATE organizations SET plan = '{(organization.IsFree ? "free" : "unlimited")}' "
                    + $"WHERE uuid = '{uuid}'");
                break;
            case SiloStep.Remove:
                var removed = await _plane.Members.RemoveAsync(caller, uuid, _users[user], default);
                Agree(step, _model.Remove(by, organization, user), removed.Refusal);
                break;
            case SiloStep.ChangeLevel:
                var changed = await _plane.Members.ChangeLevelAsync(
                    caller, uuid, _users[user], (MemberLevel)level, default);
                Agree(step, _model.ChangeLevel(by, organization, user, level), changed.Refusal);
                break;
            case SiloStep.CreateProject:
                var wanted = new NewProject("P", null, new ProjectSettings());
                var made = await _plane.Projects.CreateAsync(caller, uuid, wanted, default);
                Agree(step, _model.CreateProject(by, organization), made.Refusal);
                if (made.Refusal is null) Learn(made.Value);
                break;
            default:
                var gone = await _plane.Organizations.DeleteAsync(caller, uuid, default);
                Agree(step, _model.DeleteOrganization(by, organization), gone.Refusal);
                break;
        }
    }

    private async Task ProjectStepAsync(SiloOperation step, SiloModel.Credential by, Caller caller)
    {
        var project = Pick(_model.Projects, step.Project);
        string id = IdOf(project);
        int user = step.User % Users;
        switch (step.Step)
        {
            case SiloStep.SetDefault:
                int standard = step.Choice % 2;
                var settings = new ProjectSettings { DefaultLevel = (ProjectLevel)standard };
                var set = await _plane.Projects.UpdateAsync(caller, id, null, settings, default);
                Agree(step, _model.SetDefault(by, project, standard), set.Refusal);
                break;
            case SiloStep.Say:
                int? level = ProjectLevels[step.Choice % ProjectLevels.Length];
                var said = await _plane.ProjectMembers.ChangeAsync(
                    caller, id, _users[user], (ProjectLevel?)level, default);
                Agree(step, _model.Say(by, project, user, level), said.Refusal);
                break;
            case SiloStep.Move:
                var to = Pick(_model.Organizations, step.Organization);
                bool isDryRun = step.Choice % 4 == 0;
                var moved = await _plane.Moves.MoveAsync(caller, id, IdOf(to), isDryRun, default);
                Agree(step, _model.Move(by, project, to, isDryRun), moved.Refusal);
                break;
            case SiloStep.DeleteProject:
                var gone = await _plane.Projects.DeleteAsync(caller, id, default);
                Agree(step, _model.DeleteProject(by, project), gone.Refusal);
                break;
            default:
                var reset = await _plane.Projects.ResetTokenAsync(caller, id, idempotencyKey: null, default);
                Agree(step, _model.ResetToken(by, project), reset.Refusal);
                if (reset.Refusal is null) LearnToken(reset.Value.Project.ProjectId, reset.Value.Token);
                break;
        }
    }

    private async Task KeyStepAsync(SiloOperation step, SiloModel.Credential by, Caller caller)
    {
        if (step.Step == SiloStep.CreateKey)
        {
            var organization = step.Choice % 4 == 1 ? Pick(_model.Organizations, step.Organization) : null;
            var project = step.Choice % 4 == 2 ? Pick(_model.Projects, step.Project) : null;
            var wanted = new NewKey(
                "K", ["*"], organization is null ? [] : [IdOf(organization)], project is null ? [] : [IdOf(project)]);
            var made = await _plane.Keys.CreateAsync(caller, wanted, default);
            Agree(step, _model.CreateKey(by, organization, project), made.Refusal);
            if (made.Refusal is null) Learn(made.Value);
            return;
        }

        // A number that is no key yet now and then; the sessions, which are first, have none.
        var key = Pick(_model.Credentials, step.User);
        string id = _keyIds[_model.Credentials.IndexOf(key)].ToString(CultureInfo.InvariantCulture);
        if (step.Step == SiloStep.RollKey)
        {
            var rolled = await _plane.Keys.RollAsync(caller, id, default);
            var verdict = _model.RollKey(by, key);

            // The row of a rolled key is that of the new one: under its number the old text cannot be ended again.
            Agree(step, verdict, rolled.Refusal);
            if (rolled.Refusal is not null) return;
            _keyIds[_model.Credentials.IndexOf(key)] = 0;
            Learn(rolled.Value);
        }
        else
        {
            var revoked = await _plane.Keys.RevokeAsync(caller, id, default);
            Agree(step, _model.RevokeKey(by, key), revoked.Refusal);
        }
    }

    private async Task CompareAsync(SiloOperation step)
    {
        for (int c = 0; c < _callers.Count; c++)
        {
            var readable = _model.Projects.Where(project => _model.CanRead(_model.Credentials[c], project))
                .Select(project => _projects[_model.Projects.IndexOf(project)]).ToHashSet();
            foreach (ulong id in _projects)
            {
                string text = id.ToString(CultureInfo.InvariantCulture);
                var entered = await _plane.Projects.EnterAsync(_callers[c], text, Scopes.QueryRead, default);
                Assert.True(
                    readable.Contains(id) == (entered.Refusal is null),
                    $"After {step}: credential {c} and project {id}: {entered.Refusal?.Detail ?? "let in"}");
                if (entered.Refusal is null) Assert.Equal(_tokens[id], entered.Value.ApiToken);
            }

            var list = await _plane.Projects.ListAsync(_callers[c], default);
            Assert.Equal(_model.Credentials[c].IsLive, list.Refusal is null);
            if (list.Refusal is null)
                Assert.Equal(readable.Order(), list.Value.Select(project => project.ProjectId));
        }

        Assert.True(_sql(Broken) == 0, $"After {step}: an organization, project or token is as it must never be.");
    }

    /// <summary>
    /// Counts what must never be: an organization without an owner, a living project of a dead one or without exactly
    /// one live token, a token twice, a live token of a dead project.
    /// </summary>
    private const string Broken =
        """
        SELECT
            (SELECT COUNT(*) FROM organizations o WHERE o.deleted_at IS NULL AND NOT EXISTS (
                SELECT 1 FROM memberships m WHERE m.organization_id = o.id AND m.level = 15))
            + (SELECT COUNT(*) FROM projects p JOIN organizations o ON o.id = p.organization_id
                WHERE p.deleted_at IS NULL AND o.deleted_at IS NOT NULL)
            + (SELECT COUNT(*) FROM projects p WHERE p.deleted_at IS NULL AND 1 <> (
                SELECT COUNT(*) FROM project_tokens t WHERE t.project_id = p.id AND t.revoked_at IS NULL))
            + (SELECT COUNT(*) FROM project_tokens a JOIN project_tokens b ON a.token = b.token AND a.id <> b.id)
            + (SELECT COUNT(*) FROM project_tokens t JOIN projects p ON p.id = t.project_id
                WHERE t.revoked_at IS NULL AND p.deleted_at IS NOT NULL)
        """;

    private void Join(string uuid, int user, int level) => _sql(
        $"""
        INSERT INTO memberships (organization_id, user_id, level, joined_at)
        SELECT o.id, u.id, {level}, 0 FROM organizations o, users u
        WHERE o.uuid = '{uuid}' AND u.uuid = '{_users[user]}'
        """);

    private async Task LearnAsync(Guid organization)
    {
        _organizations.Add(organization);
        long id = _sql(
            $"""
            SELECT p.id FROM projects p JOIN organizations o ON o.id = p.organization_id
            WHERE o.uuid = '{organization}'
            """);
        string text = id.ToString(CultureInfo.InvariantCulture);
        foreach (var caller in _callers)
        {
            var project = await _plane.Projects.EnterAsync(caller, text, Scopes.ProjectRead, default);
            if (project.Refusal is not null) continue;

            Learn(project.Value);
            return;
        }
    }

    private void Learn(ProjectAccess project)
    {
        Assert.DoesNotContain(project.ProjectId, _projects);
        Assert.True(_projects.Count == 0 || project.ProjectId > _projects[^1], "Ids only rise.");
        _projects.Add(project.ProjectId);
        LearnToken(project.ProjectId, project.ApiToken!);
    }

    private void LearnToken(ulong project, string token)
    {
        Assert.True(_everyToken.Add(token), "A token was given a second time.");
        _tokens[project] = token;
    }

    private void Learn(PersonalKey key)
    {
        _callers.Add(Caller.OfKey(key.Value!));
        _keyIds.Add(key.Id);
    }

    private static T Pick<T>(List<T> from, int number) => from[number % from.Count];

    private string IdOf(SiloModel.Organization organization) =>
        _organizations[_model.Organizations.IndexOf(organization)].ToString();

    private string IdOf(SiloModel.Project project) =>
        _projects[_model.Projects.IndexOf(project)].ToString(CultureInfo.InvariantCulture);

    private static void Agree(SiloOperation step, RefusalKind? expected, Refusal? was) => Assert.True(
        expected == was?.Kind,
        $"{step}: the model says {expected?.ToString() ?? "done"}, the gateway {was?.ToString() ?? "done"}");
}
