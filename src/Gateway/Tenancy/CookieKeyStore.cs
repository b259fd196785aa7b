using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Gateway.Core.Tenancy;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace Gateway.Tenancy;

/// <summary>Where ASP.NET keeps the keys of its cookies: the control database. It asks for them seldom.</summary>
internal sealed class CookieKeyStore(ControlPlane plane) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements() =>
    [
        .. plane.CookieKeys.ReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult()
            .Select(xml => XElement.Parse(xml)),
    ];

    public void StoreElement(XElement element, string friendlyName) =>
        plane.CookieKeys.AddAsync(
            friendlyName ?? "", element.ToString(SaveOptions.DisableFormatting), CancellationToken.None)
            .GetAwaiter().GetResult();
}

/// <summary>
/// Encrypts those keys with one that is derived from the installation's secret:
/// <code>
/// &lt;encrypted&gt;  base64 of: nonce 12, tag 16, AES-256-GCM of the element's text
/// </code>
/// </summary>
internal sealed class CookieKeyEncryptor(ControlPlane plane) : IXmlEncryptor
{
    public const string Purpose = "gateway cookie keys";
    public const int NonceBytes = 12;
    public const int TagBytes = 16;

    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        byte[] text = Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        byte[] sealedText = new byte[NonceBytes + TagBytes + text.Length];
        var nonce = sealedText.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(plane.DeriveKey(Purpose), TagBytes);
        cipher.Encrypt(
            nonce, text, sealedText.AsSpan(NonceBytes + TagBytes), sealedText.AsSpan(NonceBytes, TagBytes));
        return new EncryptedXmlInfo(
            new XElement("encrypted", Convert.ToBase64String(sealedText)), typeof(CookieKeyDecryptor));
    }
}

/// <summary>The way back; made by ASP.NET from the name in the XML.</summary>
internal sealed class CookieKeyDecryptor(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement)
    {
        byte[] sealedText = Convert.FromBase64String(encryptedElement.Value);
        byte[] text = new byte[sealedText.Length - CookieKeyEncryptor.NonceBytes - CookieKeyEncryptor.TagBytes];
        byte[] key = services.GetRequiredService<ControlPlane>().DeriveKey(CookieKeyEncryptor.Purpose);
        using var cipher = new AesGcm(key, CookieKeyEncryptor.TagBytes);
        cipher.Decrypt(
            sealedText.AsSpan(0, CookieKeyEncryptor.NonceBytes),
            sealedText.AsSpan(CookieKeyEncryptor.NonceBytes + CookieKeyEncryptor.TagBytes),
            sealedText.AsSpan(CookieKeyEncryptor.NonceBytes, CookieKeyEncryptor.TagBytes),
            text);
        return XElement.Parse(Encoding.UTF8.GetString(text));
    }
}
