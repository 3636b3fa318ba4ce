using System.Text;

namespace Affinity.Stickiness;

/// <summary>
/// Base64 of the protobuf message that Envoy's stateful_session filter (<c>envoy.http.stateful_session.cookie</c>) keeps in its cookie:
/// <c>{1: "10.1.1.100:8080", 2: expiry}</c>, of which Envoy leaves the second out when its cookie has no TTL, and so do we.
/// </summary>
internal sealed class EnvoyAddressDialect : IAffinityDialect
{
    private const byte AddressField = (1 << 3) | 2;
    private const byte ExpiryField = 2 << 3;
    private const int MaxVarint = 10;

    // A longer one takes a second byte for its length; addresses are far shorter.
    private const int MaxAddressLength = 127;

    public bool Steers => true;

    public bool NeedsAddress => true;

    public string Write(RouteTarget target, string token)
    {
        if (target.Address is not { Length: > 0 and <= MaxAddressLength } address || !Ascii.IsValid(address))
        {
            throw new ArgumentException($"Envoy's cookie is made of the node's address: 1 to {MaxAddressLength} characters of ASCII, such as 10.1.1.100:8080.", nameof(target));
        }

        return Convert.ToBase64String([AddressField, (byte)address.Length, .. Encoding.ASCII.GetBytes(address)]);
    }

    public RouteReading Read(ReadOnlySpan<char> value, IReadOnlyList<RouteTarget> live)
    {
        // Envoy writes its own cookies in quotes and browsers send them back so.
        if (value is ['"', .. var inner, '"'])
        {
            value = inner;
        }

        Span<byte> message = stackalloc byte[IAffinityDialect.MaxValueLength];
        if (value.Length > IAffinityDialect.MaxValueLength || !Convert.TryFromBase64Chars(value, message, out var length)
            || !IsCanonical(value, message[..length]) || !TryFindAddress(message[..length], out var address))
        {
            return RouteReading.Unrecognised;
        }

        foreach (var target in live)
        {
            if (target.Address is { } known && Ascii.Equals(address, known))
            {
                return RouteReading.Named(target.Node);
            }
        }

        return RouteReading.Unrecognised;
    }

    // The framework's decoder skips white space, of which Envoy's takes none.
    private static bool IsCanonical(ReadOnlySpan<char> value, ReadOnlySpan<byte> message)
    {
        Span<char> text = stackalloc char[IAffinityDialect.MaxValueLength];
        return Convert.TryToBase64Chars(message, text, out var length) && value.SequenceEqual(text[..length]);
    }

    private static bool TryFindAddress(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> address)
    {
        address = default;
        if (message is not [AddressField, > 0 and <= MaxAddressLength and var length, ..] || message.Length < length + 2)
        {
            return false;
        }

        address = message.Slice(2, length);
        return IsExpiryOrNothing(message[(length + 2)..]);
    }

    // The expiry counts by Envoy's own monotonic clock, so nobody else can judge it. A varint's bytes but the last have the top bit set.
    private static bool IsExpiryOrNothing(ReadOnlySpan<byte> rest) =>
        rest.IsEmpty || (rest is [ExpiryField, .. { Length: > 0 and <= MaxVarint } varint] && varint.IndexOfAnyInRange((byte)0, (byte)127) == varint.Length - 1);
}
