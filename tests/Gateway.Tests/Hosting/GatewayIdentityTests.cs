using Gateway.Core.Journal;
using Gateway.Tenancy;
using Gateway.Tests.Engine;

namespace Gateway.Tests.Hosting;

/// <summary>Whose a journal is.</summary>
public sealed class GatewayIdentityTests : IDisposable
{
    private const string Ours = "11111111-1111-4111-8111-111111111111";
    private const string Others = "22222222-2222-4222-8222-222222222222";

    private readonly TemporaryFolder _folder = new();

    private string Owner => Path.Combine(_folder.Path, GatewayIdentity.InstallationFileName);

    public void Dispose() => _folder.Remove();

    [Fact]
    public void One_that_nobody_has_claimed_is_claimed_once_it_is_used_and_nobody_elses_then()
    {
        GatewayIdentity.RefuseAnothers(_folder.Path, Others);
        Assert.False(File.Exists(Owner));

        GatewayIdentity.Claim(_folder.Path, Ours, isUnused: false);
        GatewayIdentity.Claim(_folder.Path, Ours, isUnused: false);
        GatewayIdentity.RefuseAnothers(_folder.Path, Ours);
        Assert.Throws<JournalException>(() => GatewayIdentity.RefuseAnothers(_folder.Path, Others));
        var refused = Assert.Throws<JournalException>(
            () => GatewayIdentity.Claim(_folder.Path, Others, isUnused: false));
        Assert.Contains(_folder.Path, refused.Message, StringComparison.Ordinal);
        Assert.Equal(Ours, File.ReadAllText(Owner));
    }

    [Fact]
    public void One_that_never_held_a_record_is_claimed_anew()
    {
        GatewayIdentity.Claim(_folder.Path, Ours, isUnused: true);
        GatewayIdentity.Claim(_folder.Path, Others, isUnused: true);
        Assert.Equal(Others, File.ReadAllText(Owner));
    }

    [Fact]
    public void What_cannot_be_an_id_is_not_taken_for_nobodys()
    {
        File.WriteAllText(Owner, Ours[..20]);
        Assert.Throws<JournalException>(() => GatewayIdentity.Claim(_folder.Path, Ours, isUnused: false));
    }

    [Fact]
    public void A_journals_own_id_is_made_once()
    {
        string made = GatewayIdentity.ReadOrMake(_folder.Path);
        Assert.Equal((32, made), (made.Length, GatewayIdentity.ReadOrMake(_folder.Path)));
    }
}
