using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Kernel;

/// <summary>
/// ORK0205: what a commit's batch takes is stored, and so is a <c>...Row</c>; what writes itself as bytes, is handed to a serializer, or is called <c>...Payload</c>,
/// <c>Envelope</c> or <c>Greeting</c> crosses the wire. Each says the version of its form, and has a reader: in this compilation, or named by <c>[OrkRecord(ReadBy = ...)]</c>.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class RecordAnalyzer : DiagnosticAnalyzer
{
    private static readonly string[] Readers = ["Read", "TryRead", "Parse", "TryParse", "From", "Load", "Decode", "TryDecode", "Deserialize"];
    private static readonly ImmutableHashSet<string> Versions = ImmutableHashSet.Create("Version", "FormatVersion", "SchemaVersion", "ProtocolVersion", "RecordVersion");
    private static readonly ImmutableHashSet<string> Writers = ImmutableHashSet.Create("ToBytes", "ToJson", "ToUtf8", "Write", "WriteTo", "Serialize",
        "SerializeTo", "Encode");

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.Unversioned);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var roles = new RoleReader();
            if (!roles.Concern(start.Compilation, Rules.Unversioned)) return;
            var records = new Records(roles);
            start.RegisterSymbolAction(records.Declared, SymbolKind.NamedType);
            start.RegisterSymbolAction(records.Method, SymbolKind.Method);
            start.RegisterOperationAction(records.Call, OperationKind.Invocation);
            start.RegisterCompilationEndAction(records.End);
        });
    }

    private sealed class Records(RoleReader roles)
    {
        private readonly ConcurrentDictionary<INamedTypeSymbol, string> _written = new(SymbolEqualityComparer.Default);
        private readonly ConcurrentDictionary<INamedTypeSymbol, byte> _read = new(SymbolEqualityComparer.Default);

        internal void Declared(SymbolAnalysisContext context)
        {
            var type = (INamedTypeSymbol)context.Symbol;
            if (type.IsStatic || type.TypeKind is not (TypeKind.Class or TypeKind.Struct) || IsRef(type)) return;
            var members = type.GetMembers();
            if (type.Name == "CommitBatch")
                foreach (var row in members.Select(MemberType).SelectMany(Elements)) Note(row, "stored");
            if (type.Name.EndsWith("Image", StringComparison.Ordinal))
                foreach (var row in members.Select(MemberType).SelectMany(Elements)) _read.TryAdd(row, 0);
            if (type.Name.EndsWith("Row", StringComparison.Ordinal) && type.Name.Length > 3) Note(type, "stored");
            else if (type.Name is "Envelope" or "Greeting" || type.Name.EndsWith("Payload", StringComparison.Ordinal)) Note(type, "sent");
            else if (type.IsRecord && members.OfType<IMethodSymbol>().Any(WritesItself)) Note(type, "sent");
            if (AttributeOf(type) is { } record)
            {
                Note(type, "stored or sent");
                if (record.NamedArguments.Any(argument => argument.Key == "ReadBy"
                    && argument.Value.Value is string { Length: > 0 })) _read.TryAdd(type.OriginalDefinition, 0);
            }
        }

        internal void Method(SymbolAnalysisContext context)
        {
            var method = (IMethodSymbol)context.Symbol;
            if (method.MethodKind is not (MethodKind.Ordinary or MethodKind.ExplicitInterfaceImplementation)
                || !Readers.Any(verb => method.Name.StartsWith(verb, StringComparison.Ordinal))) return;
            foreach (var type in Elements(method.ReturnType)) _read.TryAdd(type, 0);
            foreach (var parameter in method.Parameters)
            {
                if (parameter.RefKind is RefKind.Out or RefKind.Ref) foreach (var type in Elements(parameter.Type)) _read.TryAdd(type, 0);
            }
        }

        internal void Call(OperationAnalysisContext context)
        {
            var call = (IInvocationOperation)context.Operation;
            var method = call.TargetMethod;
            if (method.ContainingType is not { Name: "JsonSerializer", ContainingNamespace.Name: "Json" }) return;
            if (method.Name.StartsWith("Deserialize", StringComparison.Ordinal))
            {
                foreach (var type in method.TypeArguments.SelectMany(Elements)) _read.TryAdd(type, 0);
            }
            else if (method.Name.StartsWith("Serialize", StringComparison.Ordinal) && (Rules.Unversioned.Roles & roles.Of(context.ContainingSymbol)) != 0)
            {
                var value = call.Arguments.FirstOrDefault(argument => argument.Parameter?.Name == "value")?.Value;
                if (value is not null) foreach (var type in Elements(Uses.Unwrap(value).Type)) Note(type, "sent");
            }
        }

        internal void End(CompilationAnalysisContext context)
        {
            foreach (var record in _written)
            {
                var type = record.Key;
                if ((Rules.Unversioned.Roles & roles.Of(type)) == 0 || !type.Locations[0].IsInSource) continue;
                if (!IsVersioned(type)) Tell(context, type, record.Value, "version: say it with [OrkRecord(1)]");
                if (!_read.ContainsKey(type)) Tell(context, type, record.Value, "reader: what is written must be read by somebody, and that reader named");
            }
        }

        private static void Tell(CompilationAnalysisContext context, INamedTypeSymbol type, string what, string missing) =>
            context.ReportDiagnostic(Diagnostic.Create(Rules.Unversioned.Descriptor, type.Locations[0], type.Name, what, missing));

        private static bool IsVersioned(INamedTypeSymbol type) =>
            (AttributeOf(type) is { ConstructorArguments: [{ Value: int version }] } && version >= 1)
            || type.GetMembers().Any(member => Versions.Contains(member.Name) && member is IFieldSymbol or IPropertySymbol);

        private static AttributeData? AttributeOf(INamedTypeSymbol type) =>
            type.GetAttributes().FirstOrDefault(attribute => attribute.AttributeClass is { Name: "OrkRecordAttribute", ContainingNamespace.Name: "Ork" });

        private static bool WritesItself(IMethodSymbol method) => !method.IsStatic && method.MethodKind == MethodKind.Ordinary && !method.IsImplicitlyDeclared
            && Writers.Contains(method.Name)
            && (method.ReturnType is IArrayTypeSymbol { ElementType.SpecialType: SpecialType.System_Byte } or { Name: "ReadOnlyMemory" }
                || method.Parameters.Any(parameter => parameter.Type.Name is "IBufferWriter" or "Utf8JsonWriter" or "Span" or "Stream" or "BinaryWriter"));

        private void Note(INamedTypeSymbol type, string what)
        {
            if (type.DeclaringSyntaxReferences.Length > 0 && type.TypeKind is TypeKind.Class or TypeKind.Struct && !type.IsAnonymousType && !type.IsStatic
                && !IsRef(type))
                _written.TryAdd(type.OriginalDefinition, what);
        }

        private static ITypeSymbol? MemberType(ISymbol member) => member switch
        {
            IPropertySymbol { IsStatic: false } property => property.Type,
            IFieldSymbol { IsStatic: false, IsImplicitlyDeclared: false } field => field.Type,
            _ => null,
        };

        private static bool IsRef(INamedTypeSymbol type) => type.IsRefLikeType;

        /// <summary>A type and what it is a collection, a task or a pair of.</summary>
        private static IEnumerable<INamedTypeSymbol> Elements(ITypeSymbol? type)
        {
            switch (type)
            {
                case IArrayTypeSymbol array:
                    return Elements(array.ElementType);
                case INamedTypeSymbol named:
                    return named.TypeArguments.SelectMany(Elements).Concat(named.DeclaringSyntaxReferences.Length > 0 ? [named.OriginalDefinition] : []);
                default:
                    return [];
            }
        }
    }
}
