namespace Gateway.Core.Admission;

/// <summary>How much capture does at once, and how much may wait for it.</summary>
/// <param name="Slots">Requests that are worked on at one time.</param>
/// <param name="MaxWaiting">Requests that may wait for a slot, all projects together.</param>
public sealed record AdmissionOptions(int Slots, int MaxWaiting)
{
    /// <summary>What a request costs at least, in bytes: its way through the server is about as dear as that.</summary>
    public const int LeastCost = 1 << 10;

    /// <summary>
    /// Bytes that a project is given each round: some single events, which then need not wait for the others. A large
    /// batch needs several rounds.
    /// </summary>
    public const int Quantum = 8 * LeastCost;

    /// <summary>
    /// Bytes that may wait for the disk before nobody is given a slot: some tens of milliseconds of writing, and enough
    /// for a disk to be kept busy by groups of half of it. It may be passed by what was in a slot meanwhile.
    /// </summary>
    public const long MaxUnwritten = 4 << 20;

    /// <summary>False: all wait in one line, first come first served.</summary>
    public bool IsFair { get; init; } = true;

    /// <summary>Half, so that one project's flood leaves room for the others'.</summary>
    public int MaxWaitingOfOne => IsFair ? Math.Max(1, MaxWaiting / 2) : MaxWaiting;
}
