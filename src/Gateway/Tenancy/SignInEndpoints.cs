using Gateway.Core.Tenancy;
using Gateway.Hosting;

namespace Gateway.Tenancy;

/// <summary>Whether strangers may make themselves an account.</summary>
internal sealed record SignUpPolicy(bool IsOpen);

/// <summary>
/// Signing in and out, and becoming somebody: with an invite's link, or of one's own accord where that is allowed.
/// </summary>
internal sealed class SignInEndpoints(
    ControlPlane plane, Passwords passwords, AttemptLimits attempts, SignUpPolicy policy)
{
    private const int MaxOrganizationName = 200;

    public void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/login/", (Delegate)SignInAsync)
            .WithSummary("Sign in: gives the session's cookie, and the user as @me does")
            .Takes<SignInBody>()
            .Produces<MeAnswer>();
        api.MapPost("/logout/", (Delegate)SignOutAsync)
            .WithSummary("Sign out: the session ends, for every copy of its cookie")
            .Produces(StatusCodes.Status204NoContent);
        api.MapPost("/signup/", (Delegate)SignUpAsync)
            .WithSummary("Make an account with an organization of its own, where the gateway allows it")
            .Takes<SignUpBody>()
            .Produces<MeAnswer>(StatusCodes.Status201Created);
        api.MapGet("/invites/{secret}/", ReadInviteAsync)
            .WithSummary("What an invite's link leads to")
            .Produces<InviteLinkAnswer>();
        api.MapPost("/invites/{secret}/", AcceptInviteAsync)
            .WithSummary("Accept an invite: as who is signed in, or as a new user with a password")
            .Takes<AcceptBody>()
            .Produces<MeAnswer>();
    }

    private async Task<IResult> SignInAsync(HttpContext context)
    {
        // With a key too: whoever signs in gets cookies, and a form on another site must not be able to.
        if (!context.Request.HasJsonContentType()) return NotJson();

        var (body, error) = await JsonBody.ReadAsync(context);
        if (body is null) return error!;

        string? email = body.Text("email", EmailAddress.MaxLength, required: true)?.ToLowerInvariant();
        string? password = body.Secret("password", Users.MaxPasswordLength, required: true);
        if (body.Refusal is { } refusal) return refusal.ToError();
        if (!attempts.TryTake(context, email)) return TooMany();

        var known = await plane.Users.FindCredentialsAsync(email!, context.RequestAborted);
        var check = await passwords.CheckAsync(known?.Hash, password!, context.RequestAborted);
        if (check == PasswordCheck.Busy)
        {
            attempts.GiveBack(context, email);
            return Busy();
        }

        if (check == PasswordCheck.Wrong) return WrongPassword();

        string? newHash = null;
        if (check == PasswordCheck.RightButOld)
            newHash = await passwords.HashAsync(password!, context.RequestAborted);

        var session = await plane.Sessions.OpenAsync(known!, newHash, context.RequestAborted);
        if (session.Refusal is not null) return WrongPassword();

        attempts.GiveBack(context, email);
        return await AnswerSignedInAsync(context, session.Value);
    }

    private async Task<IResult> SignOutAsync(HttpContext context)
    {
        var closed = await plane.Sessions.CloseAsync(Callers.Of(context), context.RequestAborted);
        if (ManagementGuard.SessionOf(context) is not null) await SessionCookie.SignOutAsync(context);
        return closed.Refusal is { } refusal ? refusal.ToError() : TypedResults.NoContent();
    }

    private async Task<IResult> SignUpAsync(HttpContext context)
    {
        if (!policy.IsOpen)
        {
            return ApiError.Forbidden(
                "New accounts are made by invite here: ask somebody of the organization.", "sign_up_closed");
        }

        if (!context.Request.HasJsonContentType()) return NotJson();

        var (body, error) = await JsonBody.ReadAsync(context);
        if (body is null) return error!;

        string? text = body.Text("email", EmailAddress.MaxLength, required: true);
        string? email = null;
        if (text is not null && !EmailAddress.TryNormalize(text, out email))
            body.Reject("email", "is not an e-mail address.");
        var account = NewAccount.Read(body);
        string? organization = body.Text("organization_name", MaxOrganizationName);
        if (body.Refusal is { } refusal) return refusal.ToError();

        // Each counts, also when it succeeds: accounts are not to be made by the thousand.
        if (!attempts.TryTake(context)) return TooMany();
        if (await passwords.HashAsync(account!.Password, context.RequestAborted) is not { } hash)
        {
            attempts.GiveBack(context);
            return Busy();
        }

        var session = await plane.SignUps.SignUpAsync(
            email!,
            account.ToUser(hash),
            organization ?? $"{account.FirstName}'s Organization",
            Callers.Of(context).Ip,
            context.RequestAborted);
        return session.Refusal is { } refused
            ? refused.ToError()
            : await AnswerSignedInAsync(context, session.Value, StatusCodes.Status201Created);
    }

    private async Task<IResult> ReadInviteAsync(string secret, HttpContext context)
    {
        if (!attempts.TryTake(context)) return TooMany();

        var invite = await plane.SignUps.ReadInviteAsync(secret, context.RequestAborted);
        if (invite.Refusal is { } refusal) return refusal.ToError();

        attempts.GiveBack(context);
        bool isTheirs = await IsSignedInAsAsync(invite.Value.Email, context);
        return TypedResults.Json(InviteLinkAnswer.Of(invite.Value, isTheirs), MeJson.Default.InviteLinkAnswer);
    }

    private async Task<IResult> AcceptInviteAsync(string secret, HttpContext context)
    {
        if (!attempts.TryTake(context)) return TooMany();

        var invite = await plane.SignUps.ReadInviteAsync(secret, context.RequestAborted);
        if (invite.Refusal is { } unknown) return unknown.ToError();

        var (body, error) = await JsonBody.ReadAsync(context, optional: true);
        bool isTheirs = await IsSignedInAsAsync(invite.Value.Email, context);
        var account = body is null || isTheirs ? null : NewAccount.Read(body);
        error ??= body!.Refusal?.ToError();

        // Anybody can invite any address. So that nobody asks by the thousand which of them have an account, being told
        // so counts, and is for those only who say what they would be called if there were none.
        bool hasAccount = invite.Value.HasAccount;
        if (error is not null || isTheirs || !hasAccount) attempts.GiveBack(context);
        return error ?? await AcceptAsync(secret, hasAccount ? null : account, context);
    }

    private async Task<IResult> AcceptAsync(string secret, NewAccount? account, HttpContext context)
    {
        NewUser? newUser = null;
        if (account is not null)
        {
            if (await passwords.HashAsync(account.Password, context.RequestAborted) is not { } hash) return Busy();
            newUser = account.ToUser(hash);
        }

        var caller = Callers.Of(context);
        var accepted = await plane.SignUps.AcceptInviteAsync(secret, caller, newUser, context.RequestAborted);
        if (accepted.Refusal is { } refused) return refused.ToError();
        if (accepted.Value.Session is { } session) return await AnswerSignedInAsync(context, session);

        var user = await plane.Users.ReadAsync(caller, context.RequestAborted);
        return MeAnswer.Answer(user);
    }

    private async Task<bool> IsSignedInAsAsync(string email, HttpContext context)
    {
        if (ManagementGuard.SessionOf(context) is null) return false;

        var user = await plane.Users.ReadAsync(Callers.Of(context), context.RequestAborted);
        return user.Refusal is null && user.Value.Actor.Email == email;
    }

    private async Task<IResult> AnswerSignedInAsync(
        HttpContext context, NewSession session, int status = StatusCodes.Status200OK)
    {
        var caller = Core.Tenancy.Access.Caller.OfSession(session.Id, Callers.Of(context).Ip);
        var user = await plane.Users.ReadAsync(caller, context.RequestAborted);
        if (user.Refusal is null) await SessionCookie.SignInAsync(context, session);
        return MeAnswer.Answer(user, status);
    }

    private static IResult Busy() => ApiError.Unavailable("Too many are signing in at this moment.");

    private IResult TooMany() => ApiError.TooMany("Too many attempts. Wait a minute.", attempts.RetryAfter);

    /// <summary>The same for an unknown address: nobody learns who has an account.</summary>
    private static IResult WrongPassword() =>
        ApiError.Unauthenticated("The e-mail address or the password is wrong.", "invalid_credentials");

    private static IResult NotJson() =>
        ApiError.UnsupportedMediaType("The body must be sent as Content-Type: application/json.");

    /// <summary>What somebody says to get an account. Not a record: its text would show the password.</summary>
    private sealed class NewAccount
    {
        public required string FirstName { get; init; }

        public required string LastName { get; init; }

        public required string Password { get; init; }

        /// <summary>Null when the body says why not.</summary>
        public static NewAccount? Read(JsonBody body)
        {
            string? password = body.Secret("password", Users.MaxPasswordLength, required: true);
            if (password is not null && Users.PasswordMistake(password) is { } weak) body.Reject("password", weak);
            string? firstName = body.Text("first_name", Users.MaxNameLength, required: true);
            string? lastName = body.Text("last_name", Users.MaxNameLength, mayBeBlank: true);
            return body.Refusal is null
                ? new NewAccount { FirstName = firstName!, LastName = lastName ?? "", Password = password! }
                : null;
        }

        public NewUser ToUser(string passwordHash) =>
            new() { FirstName = FirstName, LastName = LastName, PasswordHash = passwordHash };
    }
}
