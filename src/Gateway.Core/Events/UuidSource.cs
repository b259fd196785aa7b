using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Gateway.Core.Events;

/// <summary>Makes uuids for events that came without one. Asks the system for randomness once for many.</summary>
internal sealed class UuidSource
{
    private readonly ulong[] _random = new ulong[64];
    private int _used = 64;

    public EventUuid Next(long nowMicros)
    {
        if (_used == _random.Length)
        {
            RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(_random.AsSpan()));
            _used = 0;
        }

        long milliseconds = Math.Max(0, nowMicros / 1000);
        return EventUuid.Version7(milliseconds, _random[_used++], _random[_used++]);
    }
}
