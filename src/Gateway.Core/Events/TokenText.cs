namespace Gateway.Core.Events;

/// <summary>The shape of a project token. Whether it exists is not asked here.</summary>
internal static class TokenText
{
    public const int MaxBytes = 64;

    private static ReadOnlySpan<byte> PersonalKeyPrefix => "phx_"u8;

    private static ReadOnlySpan<byte> WhiteSpace => " \t\r\n\f\v"u8;

    /// <summary>Writes the trimmed token, or says what is wrong with it; a detail never holds the token.</summary>
    public static Rejection? Read(
        JsonSlice slice, ReadOnlySpan<byte> json, Span<byte> token, CaptureRejections rejections, out int length)
    {
        length = 0;
        if (slice.IsMissing) return rejections[RejectionReason.MissingToken];
        if (!slice.IsString) return rejections[RejectionReason.BadToken];

        if (slice.Length > LongestEscaped) return rejections[RejectionReason.BadToken];

        Span<byte> scratch = stackalloc byte[LongestEscaped];
        var text = ((ReadOnlySpan<byte>)scratch[..slice.CopyText(json, scratch)]).Trim(WhiteSpace);

        if (text.IsEmpty) return rejections[RejectionReason.MissingToken];
        if (text.StartsWith(PersonalKeyPrefix)) return rejections[RejectionReason.PersonalKeyAsToken];
        if (text.Length > MaxBytes || text.ContainsAnyExceptInRange((byte)1, (byte)127))
            return rejections[RejectionReason.BadToken];

        text.CopyTo(token);
        length = text.Length;
        return null;
    }

    /// <summary>Whether two token values are the same text; anything that is no short string differs.</summary>
    public static bool AreEqual(JsonSlice left, JsonSlice right, ReadOnlySpan<byte> json)
    {
        var leftRaw = left.Raw(json).Trim(WhiteSpace);
        var rightRaw = right.Raw(json).Trim(WhiteSpace);
        if (left.Type != right.Type) return false;
        if (leftRaw.SequenceEqual(rightRaw)) return true;
        if (!left.IsEscaped && !right.IsEscaped) return false;
        if (Math.Max(left.Length, right.Length) > LongestEscaped) return false;

        Span<byte> leftText = stackalloc byte[LongestEscaped];
        Span<byte> rightText = stackalloc byte[LongestEscaped];
        leftText = leftText[..left.CopyText(json, leftText)].Trim(WhiteSpace);
        rightText = rightText[..right.CopyText(json, rightText)].Trim(WhiteSpace);
        return leftText.SequenceEqual(rightText);
    }

    /// <summary>Every character of the longest token as an escape, and as many of white space around it.</summary>
    private const int LongestEscaped = 2 * 6 * MaxBytes;
}
