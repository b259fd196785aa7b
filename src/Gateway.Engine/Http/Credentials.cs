using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Engine.Chdb;

namespace Gateway.Engine.Http;

/// <summary>
/// The one user of the engine, kept in the data folder where only the owner of the process can read it:
/// <c>{"user":"gateway","password":"…"}</c>.
/// </summary>
internal sealed record Credentials(string User, string Password)
{
    private const int PasswordBytes = 32;
    private const string FileName = "credentials.json";

    /// <summary>Reads the file, or makes it with a random password.</summary>
    public static Credentials Load(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) Make(path);

        return JsonSerializer.Deserialize(File.ReadAllBytes(path), EngineJson.Default.Credentials)
            ?? throw new InvalidDataException($"{path} holds no credentials.");
    }

    /// <exception cref="ChdbException">Who asks is not the user.</exception>
    public void Check(HttpRequest request)
    {
        var (user, password) = Given(request);
        if (user is null && password is null)
        {
            throw new ChdbException(ErrorCode.RequiredPassword, "Password required. (REQUIRED_PASSWORD)");
        }

        // Both are compared, and in constant time, so that an answer's delay tells nothing.
        if (!(Same(user, User) & Same(password, Password)))
        {
            throw new ChdbException(
                ErrorCode.AuthenticationFailed,
                "Authentication failed: password is incorrect, or there is no user with such name. "
                + "(AUTHENTICATION_FAILED)");
        }
    }

    private static void Make(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(PasswordBytes));
        string draft = path + ".new";
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (var file = new FileStream(draft, options))
        {
            JsonSerializer.Serialize(file, new Credentials("gateway", password), EngineJson.Default.Credentials);
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, path);
    }

    private static (string? User, string? Password) Given(HttpRequest request)
    {
        if (request.Headers.TryGetValue("X-ClickHouse-User", out var user))
        {
            return (user, request.Headers["X-ClickHouse-Key"]);
        }

        string? authorization = request.Headers.Authorization;
        return authorization is not null ? Basic(authorization) : (request.Query["user"], request.Query["password"]);
    }

    private static (string? User, string? Password) Basic(string authorization)
    {
        const string Scheme = "Basic ";
        byte[] decoded = new byte[authorization.Length];
        if (!authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            || !Convert.TryFromBase64String(authorization[Scheme.Length..].Trim(), decoded, out int length))
        {
            return ("", "");
        }

        string[] parts = Encoding.UTF8.GetString(decoded, 0, length).Split(':', 2);
        return (parts[0], parts.Length > 1 ? parts[1] : "");
    }

    private static bool Same(string? given, string wanted) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given ?? ""), Encoding.UTF8.GetBytes(wanted));
}
