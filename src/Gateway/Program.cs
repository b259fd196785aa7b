using System.Security.Cryptography;
using Gateway.Core.Journal;
using Gateway.Core.Tenancy;
using Gateway.Engine;
using Gateway.Hosting;
using Gateway.JournalCommands;

if (args is ["journal", .. var words]) return JournalCommand.Run(words);

// Read the configuration, open what must be there, listen, then recover the journal while health checks are answered.
// The configuration is read once. To watch its files is to watch all below their folder, and the journal may be there.
var builder = WebApplication.CreateSlimBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
var options = GatewayOptions.Read(builder.Configuration, out var errors);
if (errors.Count > 0) return Banner.Fail(errors);

WebHostSetup.Configure(builder, options);
using var loggers = LoggerFactory.Create(WebHostSetup.ConfigureLogging);
try
{
    await using var gateway = await GatewayServer.OpenAsync(options, loggers);
    if (gateway.Bootstrapped is { } made) Banner.PrintFirstStart(made);
    if (await gateway.GiveFirstPasswordAsync() is { } password) Banner.PrintFirstPassword(password);
    await gateway.CheckEngineAsync();
    gateway.Register(builder.Services);
    var app = builder.Build();
    gateway.Map(app);
    await app.StartAsync();
    gateway.Start(app.Lifetime);
    Banner.Print(app.Urls, options, gateway);
    await app.WaitForShutdownAsync();

    // Nobody is answered any more; what they were promised is on disk, and is shipped as far as time allows.
    return await gateway.StopAsync();
}
catch (Exception error) when (IsForTheOperator(error))
{
    return Banner.Fail([error.Message]);
}

// A port that is taken, an address or a certificate that cannot be used: the message says it, a stack trace does not.
static bool IsForTheOperator(Exception error) =>
    error is ControlPlaneException or JournalException or EngineException or IOException or FormatException
        or InvalidOperationException or CryptographicException;
