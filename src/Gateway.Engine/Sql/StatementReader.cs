namespace Gateway.Engine.Sql;

/// <summary>Tells SELECT and INSERT from other statements, and an INSERT's data from its statement.</summary>
internal static class StatementReader
{
    /// <param name="text">A statement, maybe followed by data.</param>
    /// <param name="whole">
    /// False when more follows. An INSERT whose data has not surely begun is then <see cref="StatementKind.Other"/>.
    /// </param>
    public static Statement Read(ReadOnlySpan<byte> text, bool whole)
    {
        var scanner = new SqlScanner(text);
        bool any = scanner.Next();
        while (any && !scanner.IsWord && scanner.Depth > 0) any = scanner.Next();
        if (!any) return new Statement(StatementKind.Other, null, text.Length, text.Length, WritesFile: false);

        if (scanner.Is("INSERT"u8)) return ReadInsert(text, scanner, whole);

        bool select = scanner.Is("SELECT"u8) || scanner.Is("WITH"u8) || scanner.Is("FROM"u8);
        return ReadToEnd(text, scanner, select ? StatementKind.Select : StatementKind.Other);
    }

    private static Statement ReadToEnd(ReadOnlySpan<byte> text, SqlScanner scanner, StatementKind kind)
    {
        string? format = null;
        bool writesFile = false;
        do
        {
            if (scanner.Depth != 0) continue;

            // WITH … INSERT writes, and ClickHouse refuses to stream it.
            if (scanner.Is("INSERT"u8)) kind = StatementKind.Other;
            format = FormatAt(scanner) ?? format;
            writesFile |= scanner.Is("INTO"u8) && scanner.Next() && scanner.Is("OUTFILE"u8);
        }
        while (scanner.Next());

        return new Statement(kind, format, text.Length, text.Length, writesFile);
    }

    /// <summary>The name after a FORMAT that ends a statement; a column may be called "format" too.</summary>
    private static string? FormatAt(SqlScanner scanner)
    {
        if (!scanner.Is("FORMAT"u8) || !scanner.Next() || !scanner.IsWord) return null;

        string name = scanner.Word;
        return !scanner.Next() || scanner.Is(";"u8) || scanner.Is("SETTINGS"u8) ? name : null;
    }

    private static Statement ReadInsert(ReadOnlySpan<byte> text, SqlScanner scanner, bool whole)
    {
        SkipTarget(ref scanner);
        while (scanner.Next())
        {
            // A subquery, wherever it stands, or FROM INFILE: the data is not in the request.
            if (scanner.Is("SELECT"u8) || scanner.Is("FROM"u8)) break;
            if (scanner.Depth != 0) continue;

            int length = scanner.Start;
            if (scanner.Is("VALUES"u8)) return WithData(text, "Values", length, scanner.End, whole);
            if (scanner.Is("FORMAT"u8) && scanner.Next() && scanner.IsWord)
            {
                return WithData(text, scanner.Word, length, scanner.End, whole);
            }
        }

        return new Statement(StatementKind.Other, null, text.Length, text.Length, WritesFile: false);
    }

    /// <summary>INTO [TABLE|FUNCTION] [database.]name, where the name may be a word looked for later.</summary>
    private static void SkipTarget(ref SqlScanner scanner)
    {
        while (scanner.Next() && (scanner.Is("INTO"u8) || scanner.Is("TABLE"u8) || scanner.Is("FUNCTION"u8)))
        {
            // On to the name.
        }

        var ahead = scanner;
        while (ahead.Next() && ahead.Is("."u8) && ahead.Next()) scanner = ahead;
    }

    /// <summary>Data begins after the blanks that follow the format's name, and after one line end.</summary>
    private static Statement WithData(ReadOnlySpan<byte> text, string format, int length, int at, bool whole)
    {
        while (at < text.Length && text[at] is (byte)' ' or (byte)'\t') at++;
        if (at < text.Length && text[at] == '\r') at++;
        if (at < text.Length && text[at] == '\n') at++;

        // Only blanks can be followed by more that is not data yet.
        bool sure = whole || at < text.Length || text[at - 1] == '\n';
        return sure
            ? new Statement(StatementKind.InsertData, format, length, at, WritesFile: false)
            : new Statement(StatementKind.Other, null, text.Length, text.Length, WritesFile: false);
    }
}
