namespace Gateway.Engine.Chdb;

/// <summary>The value of <c>{name:Type}</c> in a statement, escaped as a field of TabSeparated is.</summary>
internal readonly record struct QueryParameter(string Name, string Value);
