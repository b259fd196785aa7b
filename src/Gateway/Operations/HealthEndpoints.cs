using System.Text.Json.Serialization;
using Gateway.Core.Journal;
using Gateway.Core.Tokens;
using Gateway.Hosting;

namespace Gateway.Operations;

/// <summary>
/// <c>/_liveness</c>: the process answers. <c>/_readiness</c>: it can take events. A store that is merely away is no
/// reason to send events elsewhere, since the journal keeps them.
/// </summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder endpoints, GatewayState state, Fence fence)
    {
        endpoints.MapGet("/_liveness", () => Results.Json(new Health("ok", null, null)));
        endpoints.MapGet("/_readiness", async (CancellationToken cancellationToken) =>
        {
            string? reason = await WhyNotAsync(state, fence, cancellationToken);
            var told = new FenceHealth(Label(state, fence), Word(fence.LastAnswerBy), fence.Epoch);
            return reason is null
                ? Results.Json(new Health("ready", null, told))
                : Results.Json(
                    new Health("not ready", reason, told), statusCode: StatusCodes.Status503ServiceUnavailable);
        });
    }

    private static async ValueTask<string?> WhyNotAsync(
        GatewayState state, Fence fence, CancellationToken cancellationToken)
    {
        if (state.IsDraining) return "stopping";
        if (state.Pipeline is not { } pipeline) return "recovering the journal";

        // Asked here too: a gateway that was taken out of rotation has no groups that would notice the fence is back.
        bool isFenced = fence.IsAvailable || await fence.ProbeAsync(cancellationToken);
        if (!isFenced) return "the fence has no authority to ask";

        return pipeline.Journal.Status.State switch
        {
            AppendOutcome.Kept => null,
            AppendOutcome.DiskFull => "the disk is full",
            AppendOutcome.QuotaReached => "the journal has reached its quota",
            _ => "the journal cannot be written",
        };
    }

    private static string Label(GatewayState state, Fence fence) =>
        state.IsDraining ? "draining" : Word(fence.State);

    private static string Word(Enum word) => word.ToString().ToLowerInvariant();

    private sealed record Health(
        string Status,
        string? Reason,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] FenceHealth? Fence);

    /// <param name="State">cold, synced, unsynced, reload, draining; in cold and unsynced no event is taken.</param>
    /// <param name="Authority">Who answered the last time: process, database or redis.</param>
    /// <param name="Epoch">The last change that this gateway has seen.</param>
    private sealed record FenceHealth(string State, string Authority, long Epoch);
}
