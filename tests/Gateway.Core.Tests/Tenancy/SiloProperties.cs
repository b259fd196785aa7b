using System.Diagnostics;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Core.Tenancy;
using Gateway.Core.Tests.Tokens;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tenancy;

/// <summary>
/// After any sequence of joins, leaves, level changes, moves and deletions each organization has an owner, each project
/// one organization and one live token, and who can read what is what an independent model says. A failure is shrunk
/// and printed with the seed that makes it again.
/// </summary>
public abstract class SiloProperties(bool onPostgres) : ControlPlaneFixture(onPostgres)
{
    private const int MaxSteps = 25;

    private static readonly SiloStep[] Steps =
    [
        .. Enum.GetValues<SiloStep>().Where(step => step != SiloStep.DeleteOrganization),

        // What the rest is about, more often than what ends it.
        SiloStep.Join, SiloStep.Join, SiloStep.Join, SiloStep.CreateProject, SiloStep.CreateProject,
        SiloStep.Move, SiloStep.Move, SiloStep.Move, SiloStep.Say, SiloStep.CreateKey, SiloStep.Remove,
        SiloStep.ChangeLevel, SiloStep.SetDefault, SiloStep.SetDefault, SiloStep.Say, SiloStep.CreateOrganization,
        SiloStep.DeleteOrganization,
    ];

    protected async Task HoldsAsync(int sequences, TimeSpan limit)
    {
        await using var plane = await OpenAsync();
        await Task.Run(() => Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(sequences).WithStartSize(MaxSteps).WithEndSize(MaxSteps),
            Property(plane, limit)));
    }

    private Property Property(ControlPlane plane, TimeSpan limit)
    {
        long started = Stopwatch.GetTimestamp();
        int stalls = 0;
        var number = Gen.Choose(0, 119);

        // Whoever made the first organization: others are mostly refused, and little would happen.
        var owner = Gen.Constant(0);
        var operation =
            from step in Gen.Elements(Steps)
            from caller in Gen.OneOf(owner, number)
            from organization in number
            from project in number
            from user in number
            from choice in number
            select new SiloOperation(step, caller, organization, project, user, choice);
        var sequences = Arb.From(Gen.ArrayOf(operation, MaxSteps), Shorter);
        return Prop.ForAll(sequences, sequence =>
        {
            // A slow machine checks fewer, and each of them whole.
            if (Stopwatch.GetElapsedTime(started) >= limit) return;

            try
            {
                new SiloRun(plane, Sql).RunAsync(sequence).GetAwaiter().GetResult();
            }
            catch (TokenStoreException) when (stalls++ == 0)
            {
                // The machine stood still for longer than a database is waited for: what was done is not known. Once.
            }
        });
    }

    /// <summary>Without its first or second half, then without one step.</summary>
    private static IEnumerable<SiloOperation[]> Shorter(SiloOperation[] sequence)
    {
        int half = sequence.Length / 2;
        if (half > 0)
        {
            yield return sequence[..half];
            yield return sequence[half..];
        }

        for (int i = 0; i < sequence.Length; i++) yield return [.. sequence[..i], .. sequence[(i + 1)..]];
    }
}

[Collection(AloneCollection.Name)]
public sealed class SiloOnSqliteTests() : SiloProperties(onPostgres: false)
{
    [Fact]
    public Task The_silo_holds_after_any_sequence() => HoldsAsync(sequences: 60, TimeSpan.FromSeconds(12));
}

[Collection(AloneCollection.Name)]
public sealed class SiloOnPostgresTests() : SiloProperties(onPostgres: true)
{
    [Fact]
    public Task The_silo_holds_after_any_sequence() => HoldsAsync(sequences: 24, TimeSpan.FromSeconds(12));
}
