namespace Gateway.Core.Admission;

/// <summary>One that waits in a <see cref="FairQueue"/>; a link of its project's list while it does.</summary>
internal class FairItem
{
    /// <summary>Whose it is: a hash of what its project is taken to be.</summary>
    public ulong Key { get; private set; }

    /// <summary>What serving it costs, in bytes.</summary>
    public long Cost { get; private set; }

    /// <summary>Where it waits; null: nowhere.</summary>
    public FairFlow? Flow { get; set; }

    public FairItem? Next { get; set; }

    public FairItem? Previous { get; set; }

    public void Set(ulong key, long cost) => (Key, Cost) = (key, cost);
}

/// <summary>What waits of one project, oldest first; a link of the line that its project stands in.</summary>
internal sealed class FairFlow
{
    private FairItem? _last;

    public ulong Key { get; set; }

    public int Count { get; private set; }

    /// <summary>What it may still have served in this round, in bytes; below zero: what it had too much.</summary>
    public long Deficit { get; set; }

    /// <summary>It came as a newcomer, and its turn among the others has not passed since.</summary>
    public bool IsNew { get; set; }

    public FairItem? First { get; private set; }

    /// <summary>The line that it stands in.</summary>
    public FairLine? Line { get; set; }

    public FairFlow? Next { get; set; }

    public FairFlow? Previous { get; set; }

    public void Add(FairItem item)
    {
        (item.Flow, item.Previous, item.Next) = (this, _last, null);
        if (_last is null) First = item;
        else _last.Next = item;

        _last = item;
        Count++;
    }

    public void Remove(FairItem item)
    {
        if (item.Previous is null) First = item.Next;
        else item.Previous.Next = item.Next;

        if (item.Next is null) _last = item.Previous;
        else item.Next.Previous = item.Previous;

        (item.Flow, item.Previous, item.Next) = (null, null, null);
        Count--;
    }
}

/// <summary>Projects in line.</summary>
internal sealed class FairLine
{
    private FairFlow? _last;

    public int Count { get; private set; }

    public FairFlow? First { get; private set; }

    public void Add(FairFlow flow)
    {
        (flow.Line, flow.Previous, flow.Next) = (this, _last, null);
        if (_last is null) First = flow;
        else _last.Next = flow;

        _last = flow;
        Count++;
    }

    public void Remove(FairFlow flow)
    {
        if (flow.Previous is null) First = flow.Next;
        else flow.Previous.Next = flow.Next;

        if (flow.Next is null) _last = flow.Previous;
        else flow.Next.Previous = flow.Previous;

        (flow.Line, flow.Previous, flow.Next) = (null, null, null);
        Count--;
    }
}
