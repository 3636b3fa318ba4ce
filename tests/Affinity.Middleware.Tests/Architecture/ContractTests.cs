using System.Reflection;
using Xunit;

namespace Affinity.Tests.Architecture;

public sealed class ContractTests
{
    private static readonly Type[] Exported = typeof(AffinityOptions).Assembly.GetExportedTypes();

    /// <summary>A caller who forgets the token makes a wait without end; the compiler tells those who must give one.</summary>
    [Fact]
    public void A_contract_takes_its_cancellation_token_last_and_required()
    {
        var contracts = Exported.Where(type => type.IsInterface);
        var methods = contracts.SelectMany(type => type.GetMethods()).Where(method => IsAwaitable(method.ReturnType)).ToArray();
        Assert.NotEmpty(methods);
        Convention.Holds("An awaitable method of a public interface takes a CancellationToken, last and required.",
            from method in methods
            let parameters = method.GetParameters()
            where parameters.Count(parameter => parameter.ParameterType == typeof(CancellationToken)) != 1
                || parameters[^1].ParameterType != typeof(CancellationToken) || parameters[^1].IsOptional
            select $"{method.DeclaringType!.Name}.{method.Name}");
    }

    /// <summary>An id that was never set must not pass for one.</summary>
    [Fact]
    public void The_default_of_an_id_throws_and_says_its_name()
    {
        var ids = Exported.Where(IsId).ToArray();
        Assert.NotEmpty(ids);
        Convention.Holds("The default of an id must throw an InvalidOperationException that begins with default(TheType).",
            from id in ids
            let readings = Readings(id).ToArray()
            where readings.Length == 0 || Array.Exists(readings, reading => !Throws(reading, id))
            select $"{id.Name}: {string.Join(", ", readings.Select(reading => reading.Name))}");
    }

    private static bool IsId(Type type)
        => type.IsValueType && (type.Name.EndsWith("Id", StringComparison.Ordinal) || type.Name.EndsWith("Key", StringComparison.Ordinal));

    private static bool IsAwaitable(Type type) => typeof(Task).IsAssignableFrom(type) || type.Name.StartsWith("ValueTask", StringComparison.Ordinal);

    /// <summary>Whatever tells the value of an id, except whether there is one.</summary>
    private static IEnumerable<MethodInfo> Readings(Type id)
        => id.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly)
            .Where(method => method.GetParameters().Length == 0 && method.ReturnType != typeof(bool) && method.GetBaseDefinition() == method);

    private static bool Throws(MethodInfo reading, Type id)
        => Record.Exception(() => reading.Invoke(Activator.CreateInstance(id), null))?.InnerException is InvalidOperationException exception
            && exception.Message.StartsWith($"default({id.Name})", StringComparison.Ordinal);
}
