using System.IO.Pipelines;
using System.Text;
using Gateway.Capture;
using Gateway.Core.Admission;
using Gateway.Tests.Running;

namespace Gateway.Tests.Capture;

public sealed class InFlightBudgetTests
{
    private static readonly ulong ProjectA = TokenHints.OfProject(1);

    private readonly TokenHints _hints = new(
        token => token.SequenceEqual("phc_a"u8) ? 1ul : token.SequenceEqual("phc_b"u8) ? 2ul : 0);

    [Fact]
    public void One_project_has_its_share_and_leaves_the_rest()
    {
        var budget = new InFlightBudget(limitBytes: 100, shareBytes: 50);
        Assert.True(budget.TryCharge(1, 50));
        Assert.False(budget.TryCharge(1, 1));
        Assert.True(budget.TryCharge(2, 50));
        Assert.False(budget.TryCharge(3, 1));
        Assert.Equal(100, budget.HeldBytes);

        budget.Release(1, 50);
        Assert.True(budget.TryCharge(1, 20));
        Assert.False(budget.TryMove(1, 2, 20));
        Assert.True(budget.TryMove(1, 3, 20));
        Assert.True(budget.TryCharge(1, 30));
        budget.Release(1, 30);
        budget.Release(2, 50);
        budget.Release(3, 20);
        Assert.Equal(0, budget.HeldBytes);
        Assert.True(budget.TryCharge(1, 50));
    }

    [Fact]
    public async Task A_body_is_charged_to_the_project_that_it_names_and_released_from_it()
    {
        var budget = new InFlightBudget(limitBytes: 1000, shareBytes: 100);
        var first = new CaptureBody(budget, _hints);
        var second = new CaptureBody(budget, _hints);
        byte[] body = Encoding.UTF8.GetBytes($$"""{"api_key":"phc_a","x":"{{new string('x', 50)}}"}""");

        // Whatever its connection was known for.
        first.Begin(17);
        Assert.Equal(BodyStatus.Complete, await ReadAsync(first, body));
        Assert.Equal(ProjectA, first.Owner);
        second.Begin(18);
        Assert.Equal(BodyStatus.NoBudget, await ReadAsync(second, body));
        second.Reset();

        Assert.True(first.TryMoveTo(19));
        Assert.Equal(BodyStatus.Complete, await ReadAsync(second, body));
        first.Reset();
        second.Reset();
        Assert.Equal(0, budget.HeldBytes);
        Assert.True(budget.TryCharge(ProjectA, 100));
        Assert.True(budget.TryCharge(19, 100));
    }

    [Theory]
    [InlineData("phc_a", 1, true)]
    [InlineData("phc_b", 2, false)]
    [InlineData("phc_unknown", null, true)]
    public async Task Nobody_is_refused_for_a_share_that_is_only_guessed_to_be_its_own(
        string token, int? project, bool isTaken)
    {
        // The flood's, and another project's that has its share too.
        const ulong Flood = 17;
        var budget = new InFlightBudget(limitBytes: 1000, shareBytes: 200);
        Assert.True(budget.TryCharge(Flood, 200));
        Assert.True(budget.TryCharge(TokenHints.OfProject(2), 200));

        var body = new CaptureBody(budget, _hints);
        body.Begin(Flood);
        byte[] gzip = Gzipped.Of($$"""{"api_key":"{{token}}","batch":[]}""");
        var status = await ReadAsync(body, gzip);
        Assert.Equal(isTaken ? BodyStatus.Complete : BodyStatus.NoBudget, status);
        Assert.Equal(project is { } id ? TokenHints.OfProject((ulong)id) : Flood, body.Owner);

        body.Reset();
        Assert.Equal(400, budget.HeldBytes);
        Assert.True(budget.TryCharge(ProjectA, 200));
        Assert.False(budget.TryCharge(Flood, 1));
        Assert.False(budget.TryCharge(TokenHints.OfProject(2), 1));
    }

    [Fact]
    public async Task A_body_that_finds_no_room_is_refused_before_it_is_read()
    {
        var budget = new InFlightBudget(limitBytes: 1000, shareBytes: 1000);
        Assert.True(budget.TryCharge(1, 901));
        var body = new CaptureBody(budget, _hints);
        body.Begin(2);
        var reader = PipeReader.Create(new MemoryStream(new byte[100]));
        Assert.Equal(BodyStatus.NoBudget, await body.ReadAsync(reader, 100, 1000));
        Assert.Equal(100, (await reader.ReadAsync()).Buffer.Length);
        Assert.Equal(901, budget.HeldBytes);
    }

    private static ValueTask<BodyStatus> ReadAsync(CaptureBody body, byte[] bytes) =>
        body.ReadAsync(PipeReader.Create(new MemoryStream(bytes)), bytes.Length, 1000);
}
