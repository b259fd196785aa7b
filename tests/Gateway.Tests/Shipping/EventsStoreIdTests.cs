using Gateway.Core.ClickHouse;
using Gateway.Core.Shipping;
using Gateway.Tests.Engine;

namespace Gateway.Tests.Shipping;

[Collection(EngineCollection.Name)]
public sealed class EventsStoreIdTests(EngineFixture engine)
{
    [Fact]
    public async Task A_store_is_known_again_and_says_whose_events_it_keeps()
    {
        using var client = NewStore();
        var store = new EventsStoreId(client);

        var made = await store.ReadOrMakeAsync("ours", adopt: false, default);
        var again = await store.ReadOrMakeAsync("theirs", adopt: false, default);
        var adopted = await store.ReadOrMakeAsync("theirs", adopt: true, default);

        Assert.Equal("ours", made.Owner);
        Assert.Equal((Assert.Single(made.Ids), "ours"), (Assert.Single(again.Ids), again.Owner));
        Assert.Equal((Assert.Single(made.Ids), "theirs"), (Assert.Single(adopted.Ids), adopted.Owner));
    }

    [Fact]
    public async Task Gateways_that_meet_an_empty_store_at_once_know_each_others_mark()
    {
        using var client = NewStore();
        var marks = await Task.WhenAll(Enumerable.Range(0, 4).Select(
            _ => new EventsStoreId(client).ReadOrMakeAsync("ours", adopt: false, default)));

        var last = await new EventsStoreId(client).ReadOrMakeAsync("ours", adopt: false, default);

        Assert.All(marks, mark => Assert.Subset(last.Ids.ToHashSet(), mark.Ids.ToHashSet()));
    }

    [Fact]
    public async Task The_greatest_project_is_that_of_the_events_and_0_where_there_are_none()
    {
        using var client = NewStore();
        var store = new EventsStoreId(client);
        await store.ReadOrMakeAsync("ours", adopt: false, default);
        Assert.Equal(0, await store.GreatestProjectAsync(default));

        await new EventsTable(client).EnsureAsync(default);
        Assert.Equal(0, await store.GreatestProjectAsync(default));

        await client.ExecuteAsync("INSERT INTO events (project_id, event) VALUES (7, 'a'), (41, 'b'), (3, 'c')");
        Assert.Equal(41, await store.GreatestProjectAsync(default));
    }

    private ClickHouseClient NewStore() => new(engine.Target with { Database = $"store_{Guid.NewGuid():N}" });
}
