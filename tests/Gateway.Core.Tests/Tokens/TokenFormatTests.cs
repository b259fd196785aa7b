using System.Text;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

public sealed class TokenFormatTests
{
    private const string Base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly TokenFormat Format = new(Secret(1));

    [Fact]
    public void What_we_make_has_our_shape_and_our_mac()
    {
        for (int i = 0; i < 100; i++)
        {
            byte[] token = Encoding.ASCII.GetBytes(Format.NewProjectToken());
            byte[] key = Encoding.ASCII.GetBytes(Format.NewPersonalKey());

            Assert.Equal(TokenFormat.Length, token.Length);
            Assert.True(TokenFormat.IsProjectToken(token) && Format.HasOurMac(token));
            Assert.True(TokenFormat.IsPersonalKey(key) && Format.HasOurMac(key));
            Assert.False(TokenFormat.IsPersonalKey(token) || TokenFormat.IsProjectToken(key));
        }
    }

    [Fact]
    public void Every_one_character_edit_is_refused_by_the_mac()
    {
        byte[] token = Encoding.ASCII.GetBytes(Format.NewProjectToken());

        for (int place = 4; place < token.Length; place++)
        {
            byte right = token[place];
            foreach (char wrong in Base62)
            {
                if (wrong == right) continue;
                token[place] = (byte)wrong;
                Assert.True(TokenFormat.IsProjectToken(token));
                Assert.False(Format.HasOurMac(token), $"{wrong} at {place}");
            }

            token[place] = right;
        }

        Assert.True(Format.HasOurMac(token));
    }

    [Fact]
    public void A_token_cut_lengthened_or_with_another_character_has_not_our_shape()
    {
        string token = Format.NewProjectToken();

        for (int place = 0; place < token.Length; place++)
        {
            Assert.False(IsProjectToken(token.Remove(place, 1)));
            Assert.False(IsProjectToken(token.Insert(place, "a")));
            Assert.False(IsProjectToken(token[..place] + '-' + token[(place + 1)..]));
        }
    }

    [Fact]
    public void Another_installations_token_is_refused_by_the_mac()
    {
        var other = new TokenFormat(Secret(2));

        Assert.False(Format.HasOurMac(Encoding.ASCII.GetBytes(other.NewProjectToken())));
    }

    [Fact]
    public void A_project_token_does_not_become_a_personal_key_by_its_prefix()
    {
        string key = TokenFormat.PersonalPrefix + Format.NewProjectToken()[4..];

        Assert.False(Format.HasOurMac(Encoding.ASCII.GetBytes(key)));
    }

    [Fact]
    public void The_random_part_has_no_bias()
    {
        int[] seen = new int['z' + 1];
        for (int i = 0; i < 5000; i++)
        {
            foreach (char c in Format.NewProjectToken().AsSpan(4, 43)) seen[c]++;
        }

        // 3468 of each are expected; a reduction modulo 62 of a byte would favour eight of them by a quarter.
        Assert.All(Base62, c => Assert.InRange(seen[c], 3468 * 85 / 100, 3468 * 115 / 100));
    }

    [Fact]
    public void Verifying_allocates_nothing()
    {
        byte[] token = Encoding.ASCII.GetBytes(Format.NewProjectToken());
        Format.HasOurMac(token);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) Format.HasOurMac(token);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void A_key_is_shown_by_its_last_four_characters()
    {
        Assert.Equal("phx_...wxyz", TokenFormat.Mask("phx_0123456789wxyz"));
    }

    private static bool IsProjectToken(string text) => TokenFormat.IsProjectToken(Encoding.ASCII.GetBytes(text));

    private static byte[] Secret(byte fill) => [.. Enumerable.Repeat(fill, TokenFormat.SecretBytes)];
}
