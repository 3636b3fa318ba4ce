using System.Xml;
using System.Xml.Linq;

namespace Affinity.Tickets;

/// <summary>Reads the elements of the Data Protection ring as the framework writes them.</summary>
internal static class KeyElements
{
    private static readonly XmlReaderSettings Settings = new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, IgnoreWhitespace = true };

    /// <summary>The element, or null for a text that is no XML.</summary>
    public static XElement? TryParse(string text)
    {
        try
        {
            // Without a DTD: nothing in it is expanded.
            using var reader = XmlReader.Create(new StringReader(text), Settings);
            return XElement.Load(reader);
        }
        catch (XmlException)
        {
            return null;
        }
    }

    /// <summary>The id of a key; null for a revocation, for an unknown element and for a key without a readable id.</summary>
    public static Guid? KeyIdOf(XElement element) =>
        element.Name == "key" && Guid.TryParse(element.Attribute("id")?.Value, out var id) ? id : null;
}
