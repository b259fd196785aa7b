using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Gateway.Engine;

/// <summary>The files in the engine's folder by which it and the gateway know of each other.</summary>
internal sealed class EngineFiles(string folder)
{
    private string ProcessFile => Path.Combine(folder, "process.json");

    /// <summary>Written by the engine when it is ready to serve.</summary>
    public string PortFile => Path.Combine(folder, "port.json");

    private string CredentialsFile => Path.Combine(folder, "credentials.json");

    public void ForgetPort() => File.Delete(PortFile);

    /// <returns>Null while the engine is not ready.</returns>
    public EngineEndpoint? ReadEndpoint()
    {
        if (Read(PortFile, EngineFilesJson.Default.EnginePort) is not { } port) return null;
        if (Read(CredentialsFile, EngineFilesJson.Default.EngineCredentials) is not { } credentials) return null;

        return new EngineEndpoint(new Uri($"http://127.0.0.1:{port.Port}/"), credentials.User, credentials.Password);
    }

    public ProcessIdentity? ReadProcess() => Read(ProcessFile, EngineFilesJson.Default.ProcessIdentity);

    public void WriteProcess(ProcessIdentity process)
    {
        string draft = ProcessFile + ".new";
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(process, EngineFilesJson.Default.ProcessIdentity);
        File.WriteAllBytes(draft, json);
        File.Move(draft, ProcessFile, overwrite: true);
    }

    public void ForgetProcess() => File.Delete(ProcessFile);

    private static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type);
        }
        catch (Exception exception) when (exception is FileNotFoundException or JsonException)
        {
            // Each file appears whole, so damage is a stranger's, and is as good as no file.
            return null;
        }
    }
}

internal sealed record EnginePort(int Port);

internal sealed record EngineCredentials(string User, string Password);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(EnginePort))]
[JsonSerializable(typeof(EngineCredentials))]
[JsonSerializable(typeof(ProcessIdentity))]
internal sealed partial class EngineFilesJson : JsonSerializerContext;
