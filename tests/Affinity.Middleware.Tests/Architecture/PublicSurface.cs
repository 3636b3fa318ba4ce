using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Affinity.Tests.Architecture;

/// <summary>The public types and members of an assembly, one per line, sorted. What the compiler adds to a record, and overrides, are left out.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext Nullability = new();

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void", [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(int)] = "int", [typeof(long)] = "long", [typeof(ulong)] = "ulong",
        [typeof(double)] = "double", [typeof(string)] = "string", [typeof(object)] = "object",
    };

    public static IEnumerable<string> Lines(Assembly assembly)
        => assembly.GetExportedTypes()
            .SelectMany(type => Members(type).Select(member => $"{type.FullName}.{member}").Prepend($"{type.FullName} : {Kind(type)}"))
            .Order(StringComparer.Ordinal);

    private static IEnumerable<string> Members(Type type)
        => type.IsEnum
            ? type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => string.Create(CultureInfo.InvariantCulture, $"{field.Name} = {field.GetRawConstantValue()}"))
            : type.GetConstructors(Declared & ~BindingFlags.Static).Select(constructor => $".ctor({Parameters(constructor)})")
                .Concat(type.GetFields(Declared).Select(Field))
                .Concat(type.GetProperties(Declared).Select(Property))
                .Concat(type.GetEvents(Declared).Select(member => $"{member.Name} {{ event }} : {Name(member.EventHandlerType!)}"))
                .Concat(type.GetMethods(Declared).Where(IsWritten).Select(Method));

    private static bool IsWritten(MethodInfo method)
        => method.GetBaseDefinition() == method
            && !method.IsDefined(typeof(CompilerGeneratedAttribute))
            && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal));

    private static string Kind(Type type)
    {
        var kind = type switch
        {
            { IsInterface: true } => "interface",
            { IsEnum: true } => "enum",
            { IsValueType: true } => type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly struct" : "struct",
            { IsAbstract: true, IsSealed: true } => "static class",
            { IsSealed: true } => "sealed class",
            { IsAbstract: true } => "abstract class",
            _ => "class",
        };
        string[] above = type is { IsClass: true, BaseType: { } parent } && parent != typeof(object) ? [Name(parent)] : [];
        var own = type.GetInterfaces().Except(type.BaseType?.GetInterfaces() ?? []).Select(Name).Order(StringComparer.Ordinal);
        return string.Join(", ", [kind, .. above, .. own]);
    }

    private static string Field(FieldInfo field)
        => field.IsLiteral
            ? string.Create(CultureInfo.InvariantCulture, $"{field.Name} = {field.GetRawConstantValue()} : const {Name(field.FieldType)}")
            : $"{field.Name} : {(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{Name(Nullability.Create(field))}";

    private static string Property(PropertyInfo property)
    {
        var set = property.SetMethod is not { IsPublic: true } setter ? ""
            : setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init;" : " set;";
        var get = property.GetMethod is { IsPublic: true } ? " get;" : "";
        return $"{property.Name} {{{get}{set} }} : {((property.GetMethod ?? property.SetMethod)!.IsStatic ? "static " : "")}{Name(Nullability.Create(property))}";
    }

    private static string Method(MethodInfo method)
    {
        var generic = method.IsGenericMethodDefinition ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>" : "";
        return $"{method.Name}{generic}({Parameters(method)}) : {(method.IsStatic ? "static " : "")}{Name(Nullability.Create(method.ReturnParameter))}";
    }

    private static string Parameters(MethodBase method)
        => string.Join(", ", method.GetParameters().Select(parameter =>
            (method.IsDefined(typeof(ExtensionAttribute)) && parameter.Position == 0 ? "this " : "")
            + (parameter.IsOut ? "out " : parameter.IsIn ? "in " : parameter.ParameterType.IsByRef ? "ref " : "")
            + $"{Name(Nullability.Create(parameter))} {parameter.Name}"
            + (parameter.IsOptional ? $" = {parameter.RawDefaultValue ?? "default"}" : "")));

    private static string Name(NullabilityInfo info)
    {
        var type = info.Type.IsByRef ? info.Type.GetElementType()! : info.Type;
        var mark = !type.IsValueType && info.ReadState == NullabilityState.Nullable ? "?" : "";
        return info.ElementType is { } element && type.IsArray ? $"{Name(element)}[]{mark}"
            : Nullable.GetUnderlyingType(type) is { } ? Name(type)
            : info.GenericTypeArguments.Length > 0 ? $"{Bare(type)}<{string.Join(", ", info.GenericTypeArguments.Select(Name))}>{mark}"
            : Name(type) + mark;
    }

    private static string Name(Type type)
        => Keywords.TryGetValue(type, out var keyword) ? keyword
            : type.IsArray ? Name(type.GetElementType()!) + "[]"
            : Nullable.GetUnderlyingType(type) is { } value ? Name(value) + "?"
            : type.IsGenericType ? $"{Bare(type)}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
            : type.Name;

    private static string Bare(Type type) => type.Name.Split('`')[0];
}
