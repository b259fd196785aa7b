using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

/// <summary>Weighs the whole process, so nothing else may run in it meanwhile.</summary>
[Collection(AloneCollection.Name)]
public sealed class TokenTableSizeTests
{
    [Fact]
    public void A_million_tokens_take_less_than_200_MB()
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var table = TokenTableTests.Loaded(new TokenTable());
        for (int i = 0; i < TokenTable.DefaultCapacity; i++) TokenTableTests.Learn(table, TokenTableTests.Row(i));
        long taken = GC.GetTotalMemory(forceFullCollection: true) - before;

        Assert.Equal(TokenTable.DefaultCapacity, table.Count);
        Assert.InRange(taken, 1, 200_000_000);
        GC.KeepAlive(table);
    }
}

/// <summary>Tests that run when no other does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}
