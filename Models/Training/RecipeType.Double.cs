using System.Text.Json;

namespace CudaSeq.Models;

/// <content>Numbers whose rounding to float would show.</content>
internal static partial class RecipeTypes
{
    /// <summary>Numbers of at least <paramref name="least"/>, in double precision: what a decimal times a whole number is rounded down to is then what it is elsewhere.</summary>
    public static RecipeType<double> DoubleNumber(float least) => new DoubleType(least);

    private sealed class DoubleType(float least) : RecipeType<double>
    {
        public override string Description => Between("a number", least, float.PositiveInfinity, float.PositiveInfinity);

        public override bool TryRead(JsonElement json, out double value)
        {
            value = 0;
            return json.ValueKind == JsonValueKind.Number && json.TryGetDouble(out value) && double.IsFinite(value) && value >= least;
        }

        public override void Write(Utf8JsonWriter json, double value) => json.WriteNumberValue(value);

        public override void WriteSchema(Utf8JsonWriter schema)
        {
            schema.WriteString("type", "number");
            schema.WriteNumber("minimum", least);
        }
    }
}
