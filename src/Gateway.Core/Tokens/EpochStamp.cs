namespace Gateway.Core.Tokens;

/// <summary>
/// The control database at one moment: how many changes it has seen, and a random number that was drawn with the last
/// of them. The number orders what is on one line; the mark tells lines apart. A database that is put back to an
/// older copy counts through the same numbers again, but never with the same marks, so whoever holds something of the
/// line that was lost sees that it is not this one.
/// </summary>
/// <param name="Epoch">Changes so far.</param>
/// <param name="Mark">Random, not negative; 0 before the first change that drew one.</param>
public readonly record struct EpochStamp(long Epoch, long Mark)
{
    public override string ToString() => $"epoch {Epoch}";
}
