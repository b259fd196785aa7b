using Gateway.Core.Tenancy;
using Gateway.Core.Tokens;

namespace Gateway.Tenancy;

/// <summary>
/// The password of the first owner, given while nobody has any: by the first start, or by the first one of a version
/// that knows passwords. Not a record: its text would show it.
/// </summary>
/// <param name="email">The owner's address.</param>
/// <param name="password">Null when the configuration gave it.</param>
/// <param name="isCertain">False when nobody could say whether it was recorded.</param>
internal sealed class FirstPassword(string email, string? password, bool isCertain = true)
{
    private const string Unchanged = "owner@localhost";

    public string Email => email;

    public string? Password => password;

    public bool IsCertain => isCertain;

    /// <summary>Null when somebody has a password already.</summary>
    /// <exception cref="ControlPlaneException">The database cannot be read or written.</exception>
    public static async Task<FirstPassword?> GiveAsync(ControlPlane plane, BootstrapOptions options)
    {
        try
        {
            if (!await plane.Users.HasNoPasswordAsync(CancellationToken.None)) return null;
        }
        catch (TokenStoreException exception)
        {
            throw new ControlPlaneException(
                $"{exception.Message} {exception.InnerException?.Message}".TrimEnd(), exception);
        }

        using var passwords = new Passwords();
        string password = options.Password ?? Passwords.Make();
        string? shown = options.Password is null ? password : null;
        string? hash = await passwords.HashAsync(password, CancellationToken.None);
        string? email = null;
        if (options.Email is not null) EmailAddress.TryNormalize(options.Email, out email);
        try
        {
            var owner = await plane.Users.GiveFirstPasswordAsync(hash!, email, CancellationToken.None);

            // Refused: another gateway, which started at the same time, was first.
            return owner.Refusal is null ? new FirstPassword(owner.Value, shown) : null;
        }
        catch (TokenStoreException)
        {
            // It may have been recorded all the same, and then it is never shown again; if not, the next start gives
            // another one.
            return new FirstPassword(email ?? Unchanged, shown, isCertain: false);
        }
    }
}
