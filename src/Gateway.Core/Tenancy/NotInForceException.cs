using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>
/// A change is recorded, and the fence's authority could not be told: gateways may go by what was before. It comes into
/// force by itself, within a second or two of the authority's return, and must not be reported as done before.
/// </summary>
/// <param name="epoch">The change's epoch.</param>
/// <param name="recorded">What success would have given.</param>
/// <param name="cause">Why the authority could not be told.</param>
public sealed class NotInForceException(long epoch, object? recorded, TokenStoreException cause)
    : TokenStoreException("The change is recorded, not yet in force.", cause)
{
    public long Epoch => epoch;

    public object? Recorded => recorded;
}
