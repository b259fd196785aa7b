using System.IO.Pipelines;
using System.Text;
using Gateway.Capture;
using Gateway.Core.Admission;

namespace Gateway.Tests.Capture;

public sealed class InFlightBudgetTests
{
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
        var hints = new TokenHints();
        var budget = new InFlightBudget(limitBytes: 1000, shareBytes: 100);
        var first = new CaptureBody(budget, hints);
        var second = new CaptureBody(budget, hints);
        byte[] body = Encoding.UTF8.GetBytes($$"""{"api_key":"phc_a","x":"{{new string('x', 50)}}"}""");

        // Whatever its connection was known for.
        first.Begin(17);
        Assert.Equal(BodyStatus.Complete, await ReadAsync(first, body));
        Assert.Equal(hints.OfToken("phc_a"u8), first.Owner);
        second.Begin(18);
        Assert.Equal(BodyStatus.NoBudget, await ReadAsync(second, body));
        second.Reset();

        Assert.True(first.TryMoveTo(19));
        Assert.Equal(BodyStatus.Complete, await ReadAsync(second, body));
        first.Reset();
        second.Reset();
        Assert.Equal(0, budget.HeldBytes);
        Assert.True(budget.TryCharge(hints.OfToken("phc_a"u8), 100));
        Assert.True(budget.TryCharge(19, 100));
    }

    private static ValueTask<BodyStatus> ReadAsync(CaptureBody body, byte[] bytes) =>
        body.ReadAsync(PipeReader.Create(new MemoryStream(bytes)), bytes.Length, 1000, default);
}
