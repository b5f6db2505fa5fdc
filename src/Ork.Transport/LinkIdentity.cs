using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ork.Protocol;

namespace Ork.Transport;

/// <summary>
/// A node's own key pair. What counts of it is the SHA-256 of the public key; the certificate around it is self-signed and means nothing.
/// </summary>
public sealed class LinkIdentity : IDisposable
{
    private LinkIdentity(X509Certificate2 certificate)
    {
        Certificate = certificate;
        Key = KeyOf(certificate);
        Context = SslStreamCertificateContext.Create(certificate, null, offline: true);
    }

    /// <summary>The public key's hash, <c>sha256:</c> and 64 hex digits: what others put on their allowlists.</summary>
    public string Key { get; }

    internal X509Certificate2 Certificate { get; }

    /// <summary>The certificate as handshakes use it, made once for all of them.</summary>
    internal SslStreamCertificateContext Context { get; }

    /// <summary>Loads the key of a file; makes one, readable by its owner only, if there is none.</summary>
    /// <param name="path">A PEM file.</param>
    /// <exception cref="LinkException">The file holds no private key, or cannot be read or made.</exception>
    public static LinkIdentity LoadOrCreate(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            if (File.Exists(path)) key.ImportFromPem(File.ReadAllText(path));
            else Save(key, path);
            return FromKey(key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or CryptographicException)
        {
            throw new LinkException(Refusal.With(ErrorCodes.ConfigInvalid, $"key file {path}: {e.Message}"), e);
        }
    }

    /// <summary>A key that lives only in memory.</summary>
    public static LinkIdentity Ephemeral()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return FromKey(key);
    }

    /// <inheritdoc/>
    public void Dispose() => Certificate.Dispose();

    internal static string KeyOf(X509Certificate2 certificate) =>
        "sha256:" + Convert.ToHexStringLower(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));

    private static void Save(ECDsa key, string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
        using var writer = new StreamWriter(path, options);
        writer.WriteLine(key.ExportPkcs8PrivateKeyPem());
    }

    private static LinkIdentity FromKey(ECDsa key)
    {
        var request = new CertificateRequest("CN=ork", key, HashAlgorithmName.SHA256);
        return new LinkIdentity(request.CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(9999, 1, 1, 0, 0, 0, TimeSpan.Zero)));
    }
}
