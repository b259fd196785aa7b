using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>
/// Values that the first project and the first key are to have; they count while the database is empty only. Not a
/// record: its text would show them.
/// </summary>
public sealed class BootstrapOptions
{
    private const int MinKeyLength = 24;
    private const int MaxKeyLength = 128;

    private static readonly SearchValues<char> KeyCharacters =
        SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-");

    /// <summary>Of the first project; one that is deployed in apps already, for instance.</summary>
    public string? ProjectToken { get; init; }

    /// <summary>Of the first owner, with every scope.</summary>
    public string? ApiKey { get; init; }

    /// <summary>The first owner's address, to sign in with; null: owner@localhost.</summary>
    public string? Email { get; init; }

    /// <summary>The first owner's password; null: a random one.</summary>
    public string? Password { get; init; }

    /// <summary>What is wrong with the values; each names the setting and never repeats the value.</summary>
    public IEnumerable<string> Errors()
    {
        if (ProjectToken is not null && ProjectTokenError(ProjectToken) is { } token)
            yield return $"Gateway:Bootstrap:ProjectToken {token}";
        if (ApiKey is not null && ApiKeyError(ApiKey) is { } key)
            yield return $"Gateway:Bootstrap:ApiKey {key}";
        if (Email is not null && !EmailAddress.TryNormalize(Email, out _))
            yield return "Gateway:Bootstrap:Email is not an e-mail address.";
        if (Password is not null && Users.PasswordMistake(Password) is { } password)
            yield return $"Gateway:Bootstrap:Password {password}";
    }

    private static string? ProjectTokenError(string token)
    {
        if (TokenImport.Mistake(token) is { } mistake) return mistake;

        // Its MAC cannot be right: the secret behind it is made in this very start.
        return TokenFormat.IsProjectToken(Encoding.ASCII.GetBytes(token))
            ? "looks like a token that a gateway made, but not this one: it would be taken for a typo."
            : null;
    }

    private static string? ApiKeyError(string key)
    {
        if (!key.StartsWith(TokenFormat.PersonalPrefix, StringComparison.Ordinal)) return "must begin with phx_.";
        if (key.Length is < MinKeyLength or > MaxKeyLength)
            return "must have 20 to 124 characters after phx_, and be hard to guess.";
        if (key.AsSpan().ContainsAnyExcept(KeyCharacters)) return "may hold letters, digits, - and _ only.";

        return TokenFormat.IsPersonalKey(Encoding.ASCII.GetBytes(key))
            ? "looks like a key that a gateway made, but not this one: it would be taken for a typo."
            : null;
    }
}

/// <summary>
/// What the first start made, to be printed once. Given values are null here. Not a record: its text would show the
/// key.
/// </summary>
public sealed class BootstrapResult
{
    public required ulong ProjectId { get; init; }

    public required string ProjectName { get; init; }

    /// <summary>Null when the configuration gave it.</summary>
    public required string? ProjectToken { get; init; }

    /// <summary>Null when the configuration gave it. Kept as a hash only, so never to be had again.</summary>
    public required string? ApiKey { get; init; }
}

/// <summary>
/// The installation's identity and secret; made by the first start, in one transaction with the first organization,
/// its owner, project and key.
/// </summary>
internal sealed record Installation(string Id, byte[] Secret)
{
    private const string FirstOrganizationName = "Default Organization";

    // Gateways write down every ten seconds that they are there.
    private static readonly TimeSpan StillThere = TimeSpan.FromSeconds(15);

    // Who the fence asks is the installation's property: two gateways must never ask different ones.
    public const string ProcessAuthority = "process";
    public const string DatabaseAuthority = "database";
    public const string RedisAuthority = "redis";

    /// <exception cref="ControlPlaneException">Another authority is in use, or a given value is not valid.</exception>
    public static async Task<(Installation Installation, BootstrapResult? Made)> ReadOrMakeAsync(
        ControlDatabase database, ControlPlaneOptions options, CancellationToken cancellationToken)
    {
        var written = await database.WriteAsync<(Installation, BootstrapResult?)>(
            async change =>
            {
                var row = await change.RowAsync<Row>(
                    "SELECT id AS Id, secret AS Secret, authority AS Authority FROM installation");
                if (row is null) return await MakeAsync(change, options);

                if (row.Authority != options.Authority) await ChangeAuthorityAsync(change, row.Authority, options);

                return (new Installation(row.Id, Convert.FromHexString(row.Secret)), null);
            },
            cancellationToken);
        return written.Outcome.Value;
    }

    public override string ToString() => $"installation {Id}";

    private static async Task ChangeAuthorityAsync(
        ControlWrite change, string from, ControlPlaneOptions options)
    {
        string to = options.Authority;
        if (!options.ChangesFence)
        {
            throw new ControlPlaneException(
                $"This installation checks tokens against '{from}', but this gateway is configured to check them "
                + $"against '{to}' (by ConnectionStrings:Postgres, ConnectionStrings:Redis and Gateway:Fence): every "
                + "gateway must use the same. To change it, stop all gateways and start one with "
                + "Gateway:ChangeFence=true once.");
        }

        long seen = await change.ScalarAsync<long>(
            "SELECT COUNT(*) FROM gateways WHERE seen_at > @After",
            new { After = change.Now - (long)StillThere.TotalMicroseconds });
        if (seen > 0)
        {
            throw new ControlPlaneException(
                $"Gateway:ChangeFence: {seen} gateways of this installation were here within the last "
                + $"{StillThere.TotalSeconds} seconds. Stop all of them, wait so long, and start this one again.");
        }

        await change.ExecuteAsync("UPDATE installation SET authority = @To", new { To = to });
    }

    private static async Task<(Installation, BootstrapResult?)> MakeAsync(
        ControlWrite change, ControlPlaneOptions plane)
    {
        var options = plane.Bootstrap;
        string[] errors = [.. options.Errors()];
        if (errors.Length > 0) throw new ControlPlaneException(string.Join(Environment.NewLine, errors));

        var installation = new Installation(
            Guid.NewGuid().ToString(), RandomNumberGenerator.GetBytes(TokenFormat.SecretBytes));
        await change.ExecuteAsync(
            """
            INSERT INTO installation (one, id, secret, authority, created_at, events_store)
            VALUES (1, @Id, @Secret, @Authority, @Now, '')
            """,
            new
            {
                installation.Id,
                Secret = Convert.ToHexStringLower(installation.Secret),
                plane.Authority,
                change.Now,
            });

        var format = new TokenFormat(installation.Secret);
        string token = options.ProjectToken ?? format.NewProjectToken();
        string key = options.ApiKey ?? format.NewPersonalKey();

        long ownerId = await InsertOwnerAsync(change, key);
        var made = await Organizations.InsertAsync(
            change,
            FirstOrganizationName,
            plane.DefaultPlan,
            ownerId,
            token,
            isImported: options.ProjectToken is not null);

        return (installation, new BootstrapResult
        {
            ProjectId = (ulong)made.ProjectId,
            ProjectName = Projects.FirstName,
            ProjectToken = options.ProjectToken is null ? token : null,
            ApiKey = options.ApiKey is null ? key : null,
        });
    }

    private static async Task<long> InsertOwnerAsync(ControlWrite change, string key)
    {
        long userId = await change.ScalarAsync<long>(
            """
            INSERT INTO users (uuid, email, first_name, created_at)
            VALUES (@Uuid, 'owner@localhost', 'Owner', @Now) RETURNING id
            """,
            new { Uuid = Guid.NewGuid().ToString(), change.Now });
        await change.ExecuteAsync(
            """
            INSERT INTO personal_api_keys (user_id, sha256, mask, label, scopes, created_at)
            VALUES (@UserId, @Sha256, @Mask, 'First key', @Scopes, @Now)
            """,
            new
            {
                UserId = userId,
                Sha256 = TokenFormat.Sha256Of(key),
                Mask = TokenFormat.Mask(key),
                Scopes = Scopes.All,
                change.Now,
            });
        return userId;
    }

    private sealed class Row
    {
        public string Id { get; init; } = "";

        public string Secret { get; init; } = "";

        public string Authority { get; init; } = "";
    }
}
