using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Hosting;

namespace Gateway.Tenancy;

/// <summary>The caller themselves: <c>/api/users/@me/</c>.</summary>
internal sealed class UserEndpoints(ControlPlane plane, Passwords passwords, AttemptLimits attempts)
{
    public void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/users/@me/", (Delegate)ReadAsync)
            .WithSummary("The caller, their organizations and what @current means for them")
            .Produces<MeAnswer>();
        api.MapPatch("/users/@me/", (Delegate)UpdateAsync)
            .WithSummary("Change one's names, current organization or project, or password")
            .Takes<UserBody>()
            .Produces<MeAnswer>();
    }

    private async Task<IResult> ReadAsync(HttpContext context)
    {
        var user = await plane.Users.ReadAsync(Callers.Of(context), context.RequestAborted);
        if (ManagementGuard.SessionOf(context) is not null)
        {
            // A session that was ended elsewhere leaves a cookie here that is good for nothing any more.
            if (user.Refusal is null) SessionCookie.GiveCsrfToken(context);
            else if (user.Refusal.Kind == RefusalKind.Unauthenticated) await SessionCookie.SignOutAsync(context);
        }

        return MeAnswer.Answer(user);
    }

    private async Task<IResult> UpdateAsync(HttpContext context)
    {
        var (body, error) = await JsonBody.ReadAsync(context);
        if (body is null) return error!;

        var update = new UserUpdate
        {
            FirstName = body.Text("first_name", Users.MaxNameLength),
            LastName = body.Text("last_name", Users.MaxNameLength, mayBeBlank: true),
            CurrentOrganization = body.Uuid("current_organization"),
            CurrentProject = body.Id("current_project"),
        };
        string? password = body.Secret("password", Users.MaxPasswordLength);
        if (password is not null && Users.PasswordMistake(password) is { } weak) body.Reject("password", weak);
        string? current = body.Secret("current_password", Users.MaxPasswordLength, required: password is not null);
        if (body.Refusal is { } refusal) return refusal.ToError();

        var caller = Callers.Of(context);
        if (password is not null)
        {
            var (change, refused) = await ChangeAsync(context, caller, current!, password);
            if (change is null) return refused!;
            update = update with { Password = change };
        }

        return MeAnswer.Answer(await plane.Users.UpdateAsync(caller, update, context.RequestAborted));
    }

    private async Task<(PasswordChange? Change, IResult? Error)> ChangeAsync(
        HttpContext context, Caller caller, string current, string password)
    {
        var known = await plane.Users.FindCredentialsAsync(caller, context.RequestAborted);
        if (known.Refusal is { } refusal) return (null, refusal.ToError());

        // Whoever finds a browser open must not guess here what they may not guess at the door.
        string account = $"password of {ManagementGuard.SessionOf(context)}";
        if (!attempts.TryTake(context, account))
            return (null, ApiError.TooMany("Too many attempts. Wait a minute.", attempts.RetryAfter));

        var check = await passwords.CheckAsync(known.Value.Hash, current, context.RequestAborted);
        if (check == PasswordCheck.Wrong)
            return (null, Refusal.Invalid("current_password", "The current password is wrong.").ToError());

        attempts.GiveBack(context, account);
        return check != PasswordCheck.Busy && await passwords.HashAsync(password, context.RequestAborted) is { } hash
            ? (new PasswordChange(known.Value, hash), null)
            : (null, ApiError.Unavailable("Too many passwords are being checked at this moment."));
    }
}
