using System.Globalization;

namespace Gateway.Core.Query;

/// <summary>
/// A statement that may be sent to ClickHouse: the only type that the store accepts, and only
/// <see cref="Builder"/> makes it. Every read of the events in it is limited to one project.
/// </summary>
public sealed class CompiledQuery
{
    private CompiledQuery(string sql, IReadOnlyDictionary<string, string> parameters)
    {
        Sql = sql;
        Parameters = parameters;
    }

    /// <summary>ClickHouse SQL with placeholders <c>{name:Type}</c>; no text of a request is in it.</summary>
    public string Sql { get; }

    /// <summary>The placeholders' values, not escaped.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; }

    /// <summary>The settings without which the statement may not run; see <see cref="QuerySettings"/>.</summary>
    public static IReadOnlyDictionary<string, string> Settings(bool knowsExactSkipIndexes) =>
        knowsExactSkipIndexes ? QuerySettings.Recent : QuerySettings.Older;

    /// <summary>
    /// Builds a statement for one project. SQL text reaches the statement through constants of this folder and
    /// numbers; whatever a client wrote goes through <see cref="Text"/> and becomes a parameter.
    /// </summary>
    internal sealed class Builder
    {
        private const string Scope = "project_id = {project_id:UInt64}";

        private readonly Dictionary<string, string> _parameters = new(StringComparer.Ordinal);
        private readonly Dictionary<string, string> _placeholders = new(StringComparer.Ordinal);

        public Builder(AuthorizedProject project) =>
            _parameters["project_id"] = project.Id.ToString(CultureInfo.InvariantCulture);

        /// <summary>The values' size as a URL carries them.</summary>
        public int ParameterBytes { get; private set; }

        /// <summary>Values in the order in which they were added, the project's id first.</summary>
        public IEnumerable<string> Values => _parameters.Values;

        /// <summary>A placeholder for a client's text; equal texts share one.</summary>
        public string Text(string value)
        {
            if (_placeholders.TryGetValue(value, out string? placeholder)) return placeholder;

            placeholder = Add("String", value);
            _placeholders[value] = placeholder;
            return placeholder;
        }

        public string Float(double value) => Add("Float64", value.ToString("R", CultureInfo.InvariantCulture));

        /// <summary>A moment, given in microseconds since 1970 UTC.</summary>
        public string Moment(long micros)
        {
            string placeholder = Add("Int64", micros.ToString(CultureInfo.InvariantCulture));
            return $"fromUnixTimestamp64Micro({placeholder}, 'UTC')";
        }

        /// <summary>
        /// The one place that reads the events: each SELECT of a statement, subqueries too, is made here. Never
        /// PREWHERE, which would choose rows before FINAL has chosen among the copies of an event.
        /// </summary>
        public static string Select(string columns, string condition, string tail) =>
            $"SELECT {columns} FROM events FINAL WHERE {Scope} AND ({condition}) {tail}";

        public CompiledQuery Build(string sql) => new(sql, _parameters);

        private string Add(string type, string value)
        {
            string name = "p" + _parameters.Count.ToString(CultureInfo.InvariantCulture);
            _parameters.Add(name, value);
            ParameterBytes += name.Length + Uri.EscapeDataString(value).Length + "param_=&".Length;
            return $"{{{name}:{type}}}";
        }
    }
}
